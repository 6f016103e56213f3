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

/** Outside readers are slow to start: they read few runs, of many units. */
const large = fc.array(unit, { minLength: 40, maxLength: 60 }).map((units) =>
  keptRun({
    ...RESULT,
    units: units.map((one) => consistent({ ...UNIT, ...one } as UnitResult)),
  }),
);

const { reader: kunit, missing: noKunit } = kunitParser();

t.test('so does KTAP, as kunit.py reads it', { skip: noKunit ?? false }, async (t) => {
  const STATUS = { passed: 'PASS', failure: 'FAIL', error: 'FAIL', skipped: 'SKIP' };
  t.pass('throws with the counterexample');
  fc.assert(
    fc.property(large, (kept) => {
      const read = sorted(parseKtap(kunit ?? '', write('ktap', kept)).map(({ status }) => status));
      const wanted = sorted(unitsOf(kept).map((one) => STATUS[outcomeOf(one)]));
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
