import { readFileSync } from 'node:fs';
import t from 'tap';
import { debugFragments, debugOptions } from '../../cli/kernel/debug-options.js';
import { parseFragment } from '../../cli/kernel/fragments.js';

t.test('each name is a fragment that switches its feature on', (t) => {
  const symbols: Record<string, string> = {
    kasan: 'KASAN',
    kcsan: 'KCSAN',
    kmemleak: 'DEBUG_KMEMLEAK',
    lockdep: 'PROVE_LOCKING',
    pagealloc: 'DEBUG_PAGEALLOC',
    ubsan: 'UBSAN',
  };
  t.strictSame(debugOptions(), Object.keys(symbols));
  for (const [name, symbol] of Object.entries(symbols)) {
    const found = debugFragments([name], 'debsrc:6.1');
    if (!found.ok) throw new Error(found.failure.message);
    const [file = ''] = found.value;
    const settings = parseFragment(readFileSync(file, 'utf8'), file);
    t.ok(
      settings.ok &&
        settings.value.some((one) => one.symbol === symbol && one.value === 'y' && !one.optional),
      name,
    );
  }
  t.end();
});

t.test('takes several names, each once', (t) => {
  const found = debugFragments(['kasan,lockdep', 'lockdep'], 'src:/linux');
  t.match(found, { ok: true, value: [/kasan\.config$/, /lockdep\.config$/] });
  t.end();
});

t.test('says what is wrong, and what to use', (t) => {
  t.match(debugFragments(['kasam'], 'debsrc:6.1'), {
    ok: false,
    failure: { kind: 'usage', remedy: /Did you mean kasan\?/ },
  });
  t.match(debugFragments(['kasan'], 'debian:6.12'), {
    ok: false,
    failure: { kind: 'usage', remedy: /--kernel debsrc:6\.12/ },
  });
  t.match(debugFragments(['kasan,kcsan'], 'debsrc:6.1'), { ok: false });
  t.strictSame(debugFragments([], 'debian:6.1'), { ok: true, value: [] });
  t.end();
});
