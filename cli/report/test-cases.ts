import { isUndecided } from '../compare/expectations.js';
import type { Severity } from '../findings/finding.js';
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
 * Results as test cases for CI systems, from which JUnit and TAP are written. Outcomes agree with our exit
 * codes: an expected failure is not a failure. All text may come from the guest.
 */
export interface TestCase {
  /** `daxrepro.builtin.ext2` */
  suite: string;
  name: string;
  seconds: number;
  outcome: 'passed' | 'failure' | 'error' | 'skipped';
  /** The kind of failure or error: `output-differs`, `invalid`. */
  type: string;
  /** One sentence; may be empty for a passed case. */
  message: string;
  /** Of the worst finding; undefined if there is none. */
  severity: Severity | undefined;
  /** Lines. */
  details: string[];
  /** Properties that all cases of a suite share go to the suite. */
  properties: Record<string, string>;
}

/** Makes test cases from the units of `run` or `compare`. */
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
    // The suite's name already has the file system.
    name: unitName({ ...unit, fs: '', askedKernel: kernel.asked }).trim() + kind + cuts + tries,
    seconds: unit.durationSeconds,
    ...outcomeOf(unit),
    severity: groupFindings(unit.findings)[0]?.finding.severity,
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
  // Expectations come from --expected for a run, from the case for a comparison.
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

/** The first of a kind, the number of others, and what the medium shows about their inodes. */
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

/** A bisection is one case. It passes if the change was found, like its exit code. */
export function testCaseOfBisection(result: BisectionResult): TestCase {
  const { question, answer, durationSeconds } = result;
  return {
    suite: `daxrepro.bisect.${question.fs}`,
    name: `bisect ${question.tests.join(' ')}`,
    seconds: durationSeconds,
    outcome: answer.ending === 'found' ? 'passed' : 'error',
    type: answer.ending,
    message: answer.summary,
    severity: undefined,
    details: formatBisection(result, { width: WIDTH }).split('\n'),
    properties: { kernel: question.kernel, changes: String(question.changes) },
  };
}
