import fc from 'fast-check';
import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import { judge } from '../../cli/verdict/judge.js';
import { objections } from './objections.js';
import { fieldsOf, type Sample, SHAPE, type Shape, type Spoil, sample } from './samples.js';

/**
 * The worst defect is an undeserved pass; a program that never passes is useless. So each record is
 * judged and compared with a list of what a pass needs.
 */

const SHAPES = fc.sample(SHAPE, { numRuns: 150, seed: 1 });
const FIELDS = [...new Set(SHAPES.flatMap((shape) => [...fieldsOf(shape).keys()]))].sort();

const SPOIL: fc.Arbitrary<Spoil> = fc.record({
  field: fc.constantFrom(...FIELDS),
  value: fc.nat(9),
});

/** Throws if a verdict and the objections contradict each other. */
function holdAgainst(one: Sample): string[] {
  const judgement = judge(one.record, one.expected);
  const no = objections(one);
  if ((judgement.verdict === 'pass') !== (no.length === 0)) {
    throw new Error(
      `${judgement.verdict} (${judgement.reason}), with these objections: ${no.join(', ') || 'none'}`,
    );
  }
  if (judgement.verdict === 'pass' && judgement.dax.proven === one.expected.control) {
    throw new Error(`a pass whose DAX is ${judgement.dax.proven ? '' : 'not '}proven`);
  }
  keepsFindings(one, judgement.findings);
  return no;
}

/** Each damage of each device is reported, and under xfstests only once. */
function keepsFindings({ record, expected }: Sample, findings: readonly Finding[]): void {
  const keyOf = ({ device, message }: Finding) => `${device}: ${message}`;
  const told = findings.filter(({ tool }) => tool === 'e2fsck').map(keyOf);
  const checks = record.suiteChecks ?? [];
  const sources = [
    ...Object.values(record.checks),
    ...checks.flatMap(({ event, report }) => (event.readOnly && report ? [report] : [])),
  ];
  for (const finding of sources.flatMap((report) => report.findings)) {
    if (!told.includes(keyOf(finding))) throw new Error(`not told: ${keyOf(finding)}`);
  }
  if (expected.xfstests && new Set(told).size < told.length) {
    throw new Error(`told twice: ${told.join('; ')}`);
  }
}

t.test('judges any record, with up to four fields spoiled', async (t) => {
  const counts = { pass: 0, other: 0 };
  const spoils = fc.array(SPOIL, { maxLength: 4 });
  fc.assert(
    fc.property(SHAPE, spoils, (shape: Shape, spoiled: Spoil[]) => {
      const no = holdAgainst(sample(shape, spoiled));
      counts[no.length === 0 ? 'pass' : 'other'] += 1;
    }),
    { numRuns: 5000 },
  );
  t.ok(counts.pass > 1000 && counts.other > 1000, `both were tried: ${JSON.stringify(counts)}`);
});

t.test('judges each field alone, with each of its values', async (t) => {
  const alone = new Set<string>();
  for (const shape of SHAPES) {
    for (const [field, values] of fieldsOf(shape)) {
      for (let value = 0; value < values; value += 1) {
        const no = holdAgainst(sample(shape, [{ field, value }]));
        if (no.length === 1) alone.add(no[0] as string);
      }
    }
  }
  t.same(
    NEEDS.filter((what) => !alone.has(what)),
    [],
    'each need was tried alone',
  );
  t.same(
    [...alone].filter((what) => !NEEDS.includes(what)),
    [],
    'and is listed',
  );
});

/** What a pass needs, by the names in objections.ts. */
const NEEDS = [
  ...['ended early', 'kernel', 'kernel after a restore', 'module sent', 'mount', 'gave up'],
  ...['look before', 'look after', 'mounted', 'type', 'references', 'build id', 'statx'],
  ...['DAX among the options', 'DAX asked for in the control', 'DAX in the control'],
  ...['data compared', 'data the same', 'layers'],
  ...['block size', 'ext4 serves it', 'xfs serves it', 'one test'],
  ...['the test', 'check of test', 'check of scratch', 'status of the check of test'],
  ...['status of the check of scratch', 'log of test', 'log of scratch', 'findings'],
  // xfstests
  ...['check ran', 'in time', 'notrun', 'out.bad', 'core', 'expected output', 'check.time'],
  ...['mounts that were not seen', 'check ran the test', 'check says that it passed'],
  ...['check says that it did not', 'driver of a mount', 'DAX of a mount'],
  'alignment of a mount',
  ...['DAX of a mount in the control', 'look at SCRATCH_DEV', 'a check of TEST_DEV'],
  ...['status of check, setup', 'status of check, check', 'clean check, setup'],
  ...['clean check, check'],
  // power cuts
  ...['power cut', 'survivors known', 'guarantees', 'counters', 'stores', 'written back'],
  ...['promises', 'images', 'asked', 'calls beyond what can be known', 'calls that promise'],
];
