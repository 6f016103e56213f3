import { isUndecided } from '../compare/expectations.js';
import { unitName } from '../plan/unit.js';
import type { BisectionResult } from '../results/bisect-result.js';
import type { CompareUnit } from '../results/compare-result.js';
import type { UnitResult } from '../results/run-result.js';
import { formatBisection } from './bisect-text.js';
import { describeExpectation, WITH_CUTS } from './compare-words.js';
import { describeExplanation } from './explanation.js';
import { describeEvidence, describeOthers, type FindingGroup, groupFindings } from './findings.js';
import { explainUnwritten } from './unwritten.js';

/**
 * Results as test cases, which is what CI systems know: JUnit and TAP are written from these. Their
 * outcomes agree with our exit codes: what was expected is no failure. All text may be the guest's.
 */
export interface TestCase {
  /** `daxrepro.builtin.ext2` */
  suite: string;
  name: string;
  seconds: number;
  outcome: 'passed' | 'failure' | 'error' | 'skipped';
  /** Of a failure or an error, in a word: `output-differs`, `invalid`. */
  type: string;
  /** One sentence; of what passed it may be empty. */
  message: string;
  /** Lines. */
  details: string[];
  /** What all cases of a suite have in common is said of the suite. */
  properties: Record<string, string>;
}

/** Of the units of `run` or of `compare`. */
export function testCasesOf(units: readonly (UnitResult & Partial<CompareUnit>)[]): TestCase[] {
  const several = new Set(units.map(({ pmem }) => pmem)).size > 1;
  return units.map((unit) => testCaseOf(unit, several));
}

function testCaseOf(unit: UnitResult & Partial<CompareUnit>, several: boolean): TestCase {
  const { fs, suite, kernel, pmem, accel, attempt } = unit;
  const kind = several ? ` on ${pmem}` : '';
  const cuts = unit.powerCut ? ` ${WITH_CUTS}` : '';
  const tries = attempt > 1 ? ` (attempt ${attempt})` : '';
  return {
    suite: `daxrepro.${suite.name}.${fs}`,
    // The suite's name has the file system.
    name: unitName({ ...unit, fs: '' }).trim() + kind + cuts + tries,
    seconds: unit.durationSeconds,
    ...outcomeOf(unit),
    details: [
      unit.reason,
      ...groupFindings(unit.findings, unit.omitted).flatMap(describeGroup),
      ...explainUnwritten(unit.unwritten).map((sentence) => `why: ${sentence}`),
      ...describeExplanation(unit.explanation).map((sentence) => `explain: ${sentence}`),
      `replay: ${unit.replay}`,
    ],
    properties: {
      kernel: kernel.release,
      'kernel.spec': kernel.spec,
      'kernel.id': kernel.id,
      pmem,
      accel,
      'suite.version': suite.version,
    },
  };
}

type Judged = Pick<TestCase, 'outcome' | 'type' | 'message'>;

function outcomeOf(unit: UnitResult & Partial<CompareUnit>): Judged {
  const { verdict, reason, expectedFailure, expected, held } = unit;
  const type = unit.outcome ?? verdict;
  // Of a run, `--expected` says what is to fail; of a comparison its case does.
  if (expectedFailure) {
    const words = `expected to fail: ${expectedFailure.reason}`;
    if (verdict === 'pass') return { outcome: 'passed', type, message: `it was ${words}` };
    if (verdict === 'fail' && expectedFailure.held) {
      return { outcome: 'skipped', type, message: `${words}; ${reason}` };
    }
  } else if (expected && held !== undefined) {
    if (!held) {
      const message = `${describeExpectation({ expected, held })}; ${verdict}: ${reason}`;
      return { outcome: isUndecided(unit) ? 'error' : 'failure', type, message };
    }
    if (verdict !== 'pass') {
      return { outcome: 'skipped', type, message: `${verdict}, as expected: ${reason}` };
    }
  }
  return { outcome: OUTCOMES[verdict], type, message: verdict === 'pass' ? '' : reason };
}

const OUTCOMES: Record<UnitResult['verdict'], TestCase['outcome']> = {
  pass: 'passed',
  fail: 'failure',
  notrun: 'skipped',
  invalid: 'error',
  error: 'error',
};

/** The first of a kind, how many more there are, and what the medium shows of their inodes. */
function describeGroup(group: FindingGroup): string[] {
  const { tool, severity, signature, message } = group.finding;
  const others = describeOthers(group);
  return [
    `${tool} (${severity}): ${message} [${signature}]`,
    ...(others === undefined ? [] : [`  ${others}`]),
    ...describeEvidence(group).map((sentence) => `  ${sentence}`),
  ];
}

const WIDTH = 100;

/** A bisection is one case: it passes where the change was found, as its exit code says. */
export function testCaseOfBisection(result: BisectionResult): TestCase {
  const { question, answer, durationSeconds } = result;
  return {
    suite: `daxrepro.bisect.${question.fs}`,
    name: `bisect ${question.tests.join(' ')}`,
    seconds: durationSeconds,
    outcome: answer.ending === 'found' ? 'passed' : 'error',
    type: answer.ending,
    message: answer.summary,
    details: formatBisection(result, { width: WIDTH }).split('\n'),
    properties: { kernel: question.kernel, changes: String(question.changes) },
  };
}
