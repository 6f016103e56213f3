/** The page's only style sheet. Colours meet WCAG AA in light and dark mode. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--raised:#f5f6f8;--line:#d3d7de;--text:#1b1f26;--quiet:#545c69;
--link:#0b57b0;--pass:#126b2f;--fail:#b3151c;--invalid:#7f5300;--error:#7f5300;--notrun:#4a5568;
--pass-ground:#e3f4e7;--fail-ground:#fde5e5;--invalid-ground:#fcf0d4;--error-ground:#fcf0d4;--notrun-ground:#eceff3}
@media (prefers-color-scheme:dark){:root{--ground:#14171c;--raised:#1d2128;--line:#39404b;--text:#e6e9ee;--quiet:#a8b0bd;
--link:#8ab8ff;--pass:#7bd894;--fail:#ff9a96;--invalid:#f0c674;--error:#f0c674;--notrun:#b6bfcc;
--pass-ground:#17301e;--fail-ground:#421c1e;--invalid-ground:#3a2d12;--error-ground:#3a2d12;--notrun-ground:#262b33}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem}
h3{font-size:1.05rem;margin:0 0 .5rem}
.body h3{font-size:.95rem;margin:1rem 0 .25rem}
p{margin:.25rem 0 .75rem}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
code,pre{font:.875em/1.45 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;unicode-bidi:isolate}
pre{margin:.25rem 0 .75rem;padding:.6rem .75rem;background:var(--raised);border:1px solid var(--line);border-radius:6px;
overflow-x:auto;overflow-wrap:normal;max-height:26rem}
.skip{position:absolute;left:-99rem}
.skip:focus{position:static}
.quiet{color:var(--quiet)}
.verdict{display:inline-block;padding:.05rem .5rem;border-radius:4px;font-weight:600;text-decoration:none;white-space:nowrap}
a.verdict:hover{text-decoration:underline}
.pass{color:var(--pass);background:var(--pass-ground)}
.fail{color:var(--fail);background:var(--fail-ground)}
.invalid{color:var(--invalid);background:var(--invalid-ground)}
.error{color:var(--error);background:var(--error-ground)}
.notrun{color:var(--notrun);background:var(--notrun-ground)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0 0;padding:0}
.wide{overflow-x:auto;max-width:100%;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;overflow-wrap:normal;font-size:.95rem}
.wide table{width:100%}
caption{text-align:left;padding:.5rem .75rem;color:var(--quiet);font-size:.9rem}
th,td{padding:.4rem .75rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);font-weight:400}
thead th{font-weight:600;background:var(--raised)}
tbody th[scope=rowgroup]{font-weight:600;background:var(--raised)}
tbody th[scope=row]{white-space:nowrap}
td svg{vertical-align:middle}
.strip{display:inline-block;margin:0;padding:0;border:0;background:none;letter-spacing:.05em;max-height:none}
.words td{overflow-wrap:anywhere}
td.number{white-space:nowrap}
.culprit{background:var(--fail-ground)}
section>h3{margin-top:1.5rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem;margin:.5rem 0}
dt{color:var(--quiet)}
dd{margin:0}
ul{margin:.25rem 0 .75rem;padding-left:1.25rem}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0}
summary{padding:.5rem .75rem;cursor:pointer}
summary::marker{color:var(--quiet)}
.body{padding:0 .75rem .5rem;border-top:1px solid var(--line);scroll-margin-top:4rem}
.body:target{box-shadow:inset 3px 0 var(--link)}
.finding{border:1px solid var(--line);border-radius:6px;padding:.75rem;margin:.5rem 0}
svg{display:block;max-width:100%;height:auto}
.wide>svg{max-width:none}
svg text{fill:var(--text);font:12px system-ui,sans-serif}
.axis{stroke:var(--line)}
.bar{fill:var(--fail-ground);stroke:var(--fail)}
.dot{fill:var(--fail);stroke:var(--ground)}
.step-good{fill:var(--pass)}.step-bad{fill:var(--fail)}.step-both{fill:var(--invalid)}.step-skipped{fill:var(--ground);stroke:var(--quiet)}
.suspect{fill:var(--fail-ground)}
footer{padding:2rem 1rem;color:var(--quiet);font-size:.9rem}
@media (max-width:40rem){dl{grid-template-columns:minmax(0,1fr)}dt{margin-top:.3rem}th,td{padding:.35rem .5rem}}
@media print{pre{max-height:none}}
`;
