import { groupBy } from '../group-by.js';
import type { BisectionResult } from '../results/bisect-result.js';
import type { KeptResult } from '../results/read.js';
import type { XunitCase, XunitSection } from './fstests-xunit.js';
import type { Matrix, MatrixUnit } from './matrix.js';
import { type TestCase, testCaseOfBisection, testCasesOf } from './test-cases.js';

/** The sections of an fstests report. Pure. */

interface SectionUnit {
  unit: MatrixUnit;
  outcome: TestCase;
}

/** A section for all units that differ only in the test and the attempt, in order of appearance. */
export function sectionsOfUnits(matrix: Matrix, kept: readonly KeptResult[]): XunitSection[] {
  const cases = testCasesOf(matrix.units);
  const items = matrix.units.flatMap((unit, at) => {
    const outcome = cases[at];
    return outcome ? [{ unit, outcome }] : [];
  });
  const groups = groupBy(items, ({ unit }) => JSON.stringify([...nameParts(unit), unit.kernel.id]));
  const taken = new Set<string>();
  return [...groups.values()].map((group) => {
    const [first] = group as [SectionUnit, ...SectionUnit[]];
    const name = distinctName(sectionName(nameParts(first.unit)), taken);
    return {
      name,
      cases: group.map(caseOf),
      properties: { SECTION: name, ...sharedProperties(group), DAXREPRO: matrix.tool.version },
      ...timesOf(group, matrix, kept),
      durationSeconds: group.reduce((sum, { unit }) => sum + unit.durationSeconds, 0),
    };
  });
}

/** A bisection is a section of one test. */
export function sectionOfBisection(result: BisectionResult): XunitSection {
  const { question, started, durationSeconds, tool } = result;
  const name = sectionName(['bisect', question.fs]);
  const outcome = testCaseOfBisection(result);
  return {
    name,
    cases: [{ ...outcome, kernelLog: [] }],
    properties: { SECTION: name, FSTYP: question.fs, DAXREPRO: tool.version },
    started: dateOf(started),
    lastStarted: dateOf(started),
    durationSeconds,
  };
}

function nameParts({ fs, pmem, kernel, variant, powerCut, control, suite }: MatrixUnit): string[] {
  return [
    fs,
    pmem,
    ...(kernel.asked === undefined ? [] : [kernel.asked]),
    variant,
    suite.name,
    ...(powerCut ? ['power-cut'] : []),
    ...(control ? ['control'] : []),
  ];
}

/** `check` takes a section's name as one word. */
function sectionName(parts: readonly string[]): string {
  return parts
    .map((part) => part.replaceAll(/[^A-Za-z0-9._+-]+/g, '_'))
    .filter((part) => part !== '')
    .join('-');
}

function distinctName(base: string, taken: Set<string>): string {
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`;
  taken.add(name);
  return name;
}

/**
 * Results do not record when a unit began. The last unit of a section is taken to begin as long before the
 * end of its run as it and the units after it took.
 */
function timesOf(group: readonly SectionUnit[], { units }: Matrix, kept: readonly KeptResult[]) {
  const ran = (directory: string) => group.some(({ unit }) => unit.source.directory === directory);
  const starts = kept
    .filter(({ directory }) => ran(directory))
    .map(({ result }) => dateOf(result.started)?.getTime() ?? Number.NaN);
  const last = group.at(-1)?.unit;
  const run = kept.find(({ directory }) => directory === last?.source.directory)?.result;
  const began = dateOf(run?.started ?? '');
  const rest = units
    .filter(
      ({ source, order }) => source.directory === last?.source.directory && order >= last.order,
    )
    .reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  const before = Math.max(0, (run?.durationSeconds ?? 0) - rest);
  return {
    started: dateOf(Math.min(...starts)),
    lastStarted: began && dateOf(began.getTime() + 1000 * before),
  };
}

/** undefined if it is no time of the years that the schema can represent. */
function dateOf(value: string | number): Date | undefined {
  const date = new Date(value);
  return date.getTime() >= 0 && date.getUTCFullYear() < 10_000 ? date : undefined;
}

function caseOf({ unit, outcome }: SectionUnit): XunitCase {
  const { message, details, seconds } = outcome;
  const kernelLog = unit.findings
    .filter(({ tool }) => tool === 'kernel')
    .flatMap((finding) => finding.lines ?? [finding.message]);
  return { name: unit.test, seconds, outcome: outcome.outcome, message, details, kernelLog };
}

/** Properties with the same value in all units. The first ones have the names that `check` uses. */
function sharedProperties(group: readonly SectionUnit[]): Record<string, string> {
  const all = group.map(({ unit }) => propertiesOf(unit));
  const [first = {}] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => all.every((one) => one[name] === value)),
  );
}

function propertiesOf(unit: MatrixUnit): Record<string, string> {
  const { fs, kernel, dax, pmem, accel, variant, suite, control } = unit;
  return {
    FSTYP: fs,
    KERNEL: kernel.release,
    MOUNT_OPTIONS: dax.mountOptions,
    DAXREPRO_KERNEL: kernel.spec,
    DAXREPRO_VARIANT: variant,
    DAXREPRO_PMEM: pmem,
    DAXREPRO_ACCEL: accel,
    DAXREPRO_SUITE: `${suite.name} ${suite.version}`,
    DAXREPRO_DAX: dax.proven ? 'proven' : control ? 'not in use, as requested' : 'not proven',
  };
}
