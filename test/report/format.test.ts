import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';
import t from 'tap';
import { Parser } from 'tap-parser';
import { formatReport } from '../../cli/report/format.js';
import { FORMATS, type Format } from '../../cli/report/formats.js';
import type { KeptResult } from '../../cli/results/read.js';
import { hostile } from '../util/hostile.js';
import { KCIDB } from '../util/kcidb-schema.js';
import {
  keptComparison,
  keptRun,
  shown,
  WHOLE_BISECTION,
  WHOLE_COMPARISON,
  WHOLE_RUN,
} from '../util/kept.js';
import { accepts, kunitParser, parseKtap, xunitSchema } from '../util/readers.js';

/** Checks every format with every kind of result: it is valid, and contains no unescaped text. */

const RUN = keptRun(WHOLE_RUN);
const COMPARISON = keptComparison(WHOLE_COMPARISON);
const BISECTION: KeptResult = { kind: 'bisect', directory: '/runs/3', result: WHOLE_BISECTION };

const SETS: Record<string, [KeptResult, ...KeptResult[]]> = {
  run: [RUN],
  compare: [COMPARISON],
  bisect: [BISECTION],
  'all together': [RUN, COMPARISON, BISECTION],
  'nothing that ran': [keptRun({ ...WHOLE_RUN, units: [], repeats: [] })],
};

const format = (name: Format, [first, ...others]: readonly [KeptResult, ...KeptResult[]]) =>
  formatReport(name, shown(first, ...others), { width: 90, colour: false, from: '/home/me' });

/** Forbidden characters: controls except line ends, invisible characters, lone surrogates. */
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e]|\p{Cs}/u;

/** Validators of the formats. They throw, or return what is wrong. */
const CHECKS: Record<Format, (text: string) => void> = {
  terminal: () => undefined,
  mail: (text) => {
    // A tag stays in one line.
    const long = text.split('\n').find((line) => [...line].length > 74 && !line.startsWith('#'));
    if (long !== undefined) throw new Error(`too long: ${long}`);
  },
  markdown: (text) => {
    if (text.length > 65_536) throw new Error('GitHub takes no such comment');
    const html = marked.parse(text, { gfm: true, async: false });
    // Inside code there is no markup.
    const outside = html.replaceAll(/<code[^>]*>[^<]*<\/code>/g, '');
    const found = /<(?:script|img|a)\b|@root|#1|FORGED|https:|\{\{|javascript/.exec(outside);
    if (found) throw new Error(`${found[0]} is not in code: ${outside.slice(found.index - 200)}`);
  },
  junit: (text) => {
    const schema = fileURLToPath(new URL('junit.rng', import.meta.url));
    execFileSync('xmllint', ['--noout', '--nonet', '--relaxng', schema, '-'], {
      input: text,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  },
  'fstests-xunit': (text) => {
    const { reader } = xunitSchema();
    if (reader === undefined) return;
    accepts('xmllint', ['--noout', '--nonet', '--schema', reader, '-'], text);
  },
  ktap: (text) => {
    const { reader } = kunitParser();
    if (reader !== undefined && !/^1\.\.0$/m.test(text)) parseKtap(reader, text);
  },
  github: (text) => {
    const lines = text === '' ? [] : text.split('\n');
    const wrong = lines.find((line) => !/^::(?:error|warning|notice) title=[^:,]*::/.test(line));
    if (wrong !== undefined || lines.length > 10) throw new Error(`no annotations: ${wrong}`);
  },
  kcidb: (text) => {
    KCIDB.parse(JSON.parse(text));
  },
  // html.test.ts opens the page in a real browser.
  html: (text) => {
    const found = /<(?:script|img|iframe)\b|\son\w+=["']?alert|https?:\/\/(?!a\.example)/.exec(
      text.replaceAll(/&lt;[^<]*/g, ''),
    );
    if (found) throw new Error(`${found[0]} in HTML`);
  },
  tap: (text) => {
    const parser = new Parser({ strict: true });
    parser.end(text);
    const { plan, count, failures = [] } = parser.results ?? {};
    const broken = failures.filter(({ tapError }) => tapError);
    if (!plan || plan.end !== count || broken.length > 0) {
      throw new Error(`no TAP: ${JSON.stringify({ plan, count, broken })}`);
    }
  },
};

for (const name of FORMATS) {
  t.test(`writes valid ${name} for any text`, async (t) => {
    for (const [what, kept] of Object.entries(SETS)) {
      const plain = format(name, kept);
      t.doesNotThrow(() => CHECKS[name](plain), what);
      const nasty = format(
        name,
        kept.map((one) => ({ ...one, ...hostile({ result: one.result }) })) as typeof kept,
      );
      t.notMatch(nasty, RAW, `${what}: nothing raw`);
      t.notMatch(nasty, /^\s*(?:FORGED){5}/m, `${what}: no line of its own`);
      t.doesNotThrow(() => CHECKS[name](nasty), `${what}, hostile`);
    }
  });
}

t.test('the validators reject invalid output', async (t) => {
  t.throws(() => CHECKS.mail('x'.repeat(75)));
  for (const text of [
    '<script>',
    '@root',
    'see #1',
    '[a](javascript:b)',
    '`a` https://a.example/',
  ]) {
    t.throws(() => CHECKS.markdown(text), text);
  }
  t.throws(() => CHECKS.junit('<testsuites skipped="1"/>'));
  t.throws(() => CHECKS.junit('<testsuites>\x00</testsuites>'));
  t.throws(() => CHECKS.tap('TAP version 14\n1..2\nok 1'));
  t.throws(() => CHECKS.tap('TAP version 14\n1..1\nforged\nok 1'));
});

t.test('each format contains the verdict, the reason, the finding and the change', async (t) => {
  for (const name of FORMATS) {
    const text = format(name, SETS['all together'] ?? [RUN]).replaceAll(/\s+/g, ' ');
    for (const fact of ['DAX is off', 'directory corrupted', 'c5 is the first bad change']) {
      t.match(text, fact, `${name}: ${fact}`);
    }
  }
});
