import * as fc from 'fast-check';
import t from 'tap';
import { Parser } from 'tap-parser';
import { formatReport } from '../../cli/report/format.js';
import { kcidbOf } from '../../cli/report/kcidb/document.js';
import { matrixOf } from '../../cli/report/matrix.js';
import type { KeptResult } from '../../cli/results/read.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { VERDICTS } from '../../cli/verdict/judge.js';
import { keptRun, shown } from '../util/kept.js';
import { accepts, kunitParser, parseKtap, xunitSchema } from '../util/readers.js';
import { RESULT, UNIT } from '../util/results.js';
import { finding } from '../verdict/records.js';

/**
 * Every format says the same of every unit, whatever texts the guest and the user chose. Each report is read
 * with a reader of its format, and never with the code that wrote it.
 */

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';

/** Texts that mean something to a format, and any other. */
const text = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '#', ' # SKIP x', 'ok 1 a', '1..3', 'KTAP version 1', 'Subtest: a', ']]>', '-- '],
    ...['<failure/>', '&amp;', '"', '::error::a', '%0A', 'reboot: System halted', '---', '...'],
    ...['\x00\x1b[2J\r\n', '\u2028\ufffe\ud800', 'daxrepro.builtin.ext2', 'x'.repeat(10_000)],
    ...['./repro.sh', 'Bail out!', '\\', 'é\xff', '# TODO', '  1..2'],
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

const unit = fc.record({
  fs: fc.constantFrom('ext2', 'ext4', 'xfs'),
  test: text,
  suite: fc.record({ name: fc.constantFrom('builtin', 'xfstests', 'user'), version: text }),
  verdict: fc.constantFrom(...VERDICTS),
  reason: text,
  attempt: fc.integer({ min: 1, max: 3 }),
  pmem: fc.constantFrom('memmap', 'nvdimm'),
  findings: fc.array(
    text.map((message) => finding({ message })),
    { maxLength: 2 },
  ),
  replay: text,
  expectedFailure: fc.option(fc.record({ reason: text, held: fc.boolean() }), { nil: undefined }),
});

const run = fc.array(unit, { minLength: 1, maxLength: 8 }).map((units) =>
  keptRun({
    ...RESULT,
    units: units.map((one) => consistent({ ...UNIT, ...one } as UnitResult)),
  }),
);

/** An expectation holds only for a unit that failed. */
function consistent(unit: UnitResult): UnitResult {
  const { expectedFailure: expected, verdict } = unit;
  return expected && verdict !== 'fail'
    ? { ...unit, expectedFailure: { ...expected, held: false } }
    : unit;
}

/** What CI systems are to see: an expected failure is none. */
function outcomeOf({ verdict, expectedFailure }: UnitResult): Outcome {
  if (verdict === 'fail') return expectedFailure?.held ? 'skipped' : 'failure';
  if (verdict === 'notrun') return 'skipped';
  return verdict === 'pass' ? 'passed' : 'error';
}

const write = (format: Parameters<typeof formatReport>[0], kept: KeptResult) =>
  formatReport(format, shown(kept), { width: 90, colour: false, from: '/' });

/** Counts, since the formats group units in different orders. */
const sorted = (outcomes: readonly string[]) => [...outcomes].sort();

/** Only the elements of XML: text and attributes are escaped, so that `<` begins an element. */
function fromXml(xml: string): Outcome[] {
  return [...xml.matchAll(/<testcase [^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, inner = '']) =>
      (/<(failure|error|skipped)\b/.exec(inner)?.[1] as Outcome | undefined) ?? 'passed',
  );
}

function fromTap(tap: string): string[] {
  const found: string[] = [];
  const parser = new Parser({ strict: true });
  parser.on('assert', ({ ok, skip }) => {
    found.push(skip === undefined || skip === false ? (ok ? 'passed' : 'failed') : 'skipped');
  });
  parser.end(tap);
  return found;
}

const failed = (outcome: Outcome) =>
  outcome === 'failure' || outcome === 'error' ? 'failed' : outcome;

function unitsOf(kept: KeptResult): UnitResult[] {
  return kept.kind === 'run' ? kept.result.units : [];
}

const RUNS = 30;

t.test('every format agrees about every unit', async (t) => {
  t.pass('throws with the counterexample');
  fc.assert(
    fc.property(run, (kept) => {
      const units = unitsOf(kept);
      const outcomes = units.map(outcomeOf);
      const same = (what: string, read: readonly string[], wanted: readonly string[]) => {
        if (JSON.stringify(sorted(read)) === JSON.stringify(sorted(wanted))) return;
        throw new Error(`${what}: ${sorted(read)} instead of ${sorted(wanted)}`);
      };
      same('junit', fromXml(write('junit', kept)), outcomes);
      same('fstests-xunit', fromXml(write('fstests-xunit', kept)), outcomes);
      same('tap', fromTap(write('tap', kept)), outcomes.map(failed));
      same(
        'kcidb',
        kcidbOf([kept], { origin: 'a', inputs: new Map() }).tests.map(({ status }) => status),
        units.map(
          ({ verdict }) =>
            ({ pass: 'PASS', fail: 'FAIL', notrun: 'SKIP', invalid: 'ERROR', error: 'MISS' })[
              verdict
            ],
        ),
      );
      const annotated = write('github', kept).match(/^::error /gm)?.length ?? 0;
      const bad = outcomes.some((outcome) => failed(outcome) === 'failed');
      if (annotated > 0 !== bad) throw new Error(`github: ${annotated} annotations`);
      if (kept.kind === 'run') {
        const { units: shownUnits } = matrixOf([kept]);
        same(
          'matrix',
          shownUnits.map(({ verdict }) => verdict),
          units.map(({ verdict }) => verdict),
        );
      }
      for (const format of ['mail', 'markdown', 'terminal'] as const) {
        const counts = VERDICTS.flatMap((verdict) => {
          const count = units.filter((one) => one.verdict === verdict).length;
          return count > 0 ? [`${count} ${verdict}`] : [];
        });
        const summary = write(format, kept).replaceAll(/\s+/g, ' ');
        if (units.length > 1 && !summary.includes(counts.join(', '))) {
          throw new Error(`${format} does not say ${counts.join(', ')}`);
        }
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

/** A run whose tests have unique names, which no text of a guest can be mistaken for. */
const named = fc.array(unit, { minLength: 1, maxLength: 8 }).map((units) => {
  const short = (words: string) => words.slice(0, 200);
  return keptRun({
    ...RESULT,
    units: units.map((one, index) =>
      consistent({
        ...{ ...UNIT, ...one },
        test: `unit-000${index} ${short(one.test)}`,
        reason: short(one.reason),
        replay: short(one.replay),
      } as UnitResult),
    ),
  });
});

const TAG = /unit-000\d/;

/** `unit-0003 fail`; each unit once. */
function tagged(pairs: Iterable<readonly [text: string | undefined, said: string]>): string[] {
  return [...pairs].map(([words = '', said]) => `${TAG.exec(words)?.[0] ?? words} ${said}`);
}

function byXml(xml: string): string[] {
  const cases = xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g);
  return tagged(
    [...cases].map(([, attributes, inner = '']) => [
      attributes,
      /<(failure|error|skipped)\b/.exec(inner)?.[1] ?? 'passed',
    ]),
  );
}

function byTap(tap: string): string[] {
  const found: [string, string][] = [];
  const parser = new Parser({ strict: true });
  parser.on('assert', ({ name, ok, skip }) => {
    const skipped = skip !== undefined && skip !== false;
    found.push([name, skipped ? 'skipped' : ok ? 'passed' : 'failed']);
  });
  parser.end(tap);
  return tagged(found);
}

/** What each format that people read says in its table, or of each unit. */
const READ_BY_PEOPLE: Readonly<Record<'terminal' | 'mail' | 'markdown' | 'html', RegExp>> = {
  terminal: /^(?<verdict>[A-Z]+) +\S+ (?<test>unit-000\d)/gm,
  mail: /^ {2}(?<test>unit-000\d).* (?<verdict>pass|fail|notrun|invalid|error)(?: !)?$/gm,
  markdown:
    /^\| `+ ?\S+ (?<test>unit-000\d).* \| \**(?<verdict>pass|fail|notrun|invalid|error)(?: !)?\** \|$/gm,
  html: /<th scope="row">(?<test>unit-000\d)[^<]*<\/th><td><a class="verdict (?<verdict>\w+)"/g,
};

function byPeople(format: keyof typeof READ_BY_PEOPLE, text: string): string[] {
  return tagged(
    [...text.matchAll(READ_BY_PEOPLE[format])].map(({ groups }) => [
      groups?.['test'],
      groups?.['verdict']?.toLowerCase() ?? '',
    ]),
  );
}

/** The units that an annotation calls an error. */
function byGithub(text: string): string[] {
  const errors = text.split('\n').filter((line) => line.startsWith('::error '));
  return [...new Set(errors.flatMap((line) => line.match(new RegExp(TAG, 'g')) ?? []))];
}

const KCIDB = { pass: 'PASS', fail: 'FAIL', notrun: 'SKIP', invalid: 'ERROR', error: 'MISS' };

t.test('every format gives each unit its own verdict', async (t) => {
  t.pass('throws with the counterexample');
  fc.assert(
    fc.property(named, (kept) => {
      const units = unitsOf(kept);
      const wanted = (said: (unit: UnitResult) => string) =>
        tagged(units.map((one) => [one.test, said(one)] as const)).sort();
      const same = (what: string, read: string[], expected: string[]) => {
        if (JSON.stringify(read.sort()) === JSON.stringify(expected)) return;
        throw new Error(`${what}: ${read.join(', ')} instead of ${expected.join(', ')}`);
      };
      same('junit', byXml(write('junit', kept)), wanted(outcomeOf));
      same('fstests-xunit', byXml(write('fstests-xunit', kept)), wanted(outcomeOf));
      same(
        'tap',
        byTap(write('tap', kept)),
        wanted((one) => failed(outcomeOf(one))),
      );
      const { tests } = kcidbOf([kept], { origin: 'a', inputs: new Map() });
      same(
        'kcidb',
        tagged(tests.map((one) => [String(one.misc?.['test']), one.status] as const)),
        wanted(({ verdict }) => KCIDB[verdict]),
      );
      const bad = units.filter((one) => failed(outcomeOf(one)) === 'failed');
      same(
        'github',
        byGithub(write('github', kept)),
        bad.map(({ test }) => TAG.exec(test)?.[0] ?? '').sort(),
      );
      for (const format of ['terminal', 'mail', 'markdown', 'html'] as const) {
        same(
          format,
          byPeople(format, write(format, kept)),
          wanted(({ verdict }) => verdict),
        );
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

/** Outside readers are slow to start: they read few runs, of many units. */
const large = fc.array(unit, { minLength: 40, maxLength: 60 }).map((units) =>
  keptRun({
    ...RESULT,
    units: units.map((one, index) =>
      consistent({ ...UNIT, ...one, test: `unit-${1000 + index} ${one.test}` } as UnitResult),
    ),
  }),
);

const { reader: kunit, missing: noKunit } = kunitParser();

t.test('so does KTAP, as kunit.py reads it', { skip: noKunit ?? false }, async (t) => {
  const STATUS = { passed: 'PASS', failure: 'FAIL', error: 'FAIL', skipped: 'SKIP' };
  t.pass('throws with the counterexample');
  fc.assert(
    fc.property(large, (kept) => {
      const said = parseKtap(kunit ?? '', write('ktap', kept));
      const read = said.map(({ name, status }) => `${/unit-\d+/.exec(name)?.[0]} ${status}`).sort();
      const wanted = unitsOf(kept)
        .map((one, index) => `unit-${1000 + index} ${STATUS[outcomeOf(one)]}`)
        .sort();
      if (read.join() !== wanted.join()) throw new Error(`${read} instead of ${wanted}`);
    }),
    { numRuns: 2, endOnFailure: true },
  );
});

const { reader: schema, missing: noSchema } = xunitSchema();

t.test(
  "and fstests xunit is valid by the tree's schema",
  { skip: noSchema ?? false },
  async (t) => {
    t.pass('throws with the counterexample');
    fc.assert(
      fc.property(large, (kept) => {
        const words = ['--noout', '--nonet', '--schema', schema ?? '', '-'];
        accepts('xmllint', words, write('fstests-xunit', kept));
      }),
      { numRuns: 3, endOnFailure: true },
    );
  },
);
