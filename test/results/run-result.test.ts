import t from 'tap';
import { EXIT, exitCodeOf, type FailureKind, failure } from '../../cli/outcome.js';
import { exitCodeOfUnits, worstVerdict } from '../../cli/results/run-result.js';
import type { Verdict } from '../../cli/verdict/judge.js';

const units = (...verdicts: Verdict[]) => verdicts.map((verdict) => ({ verdict }));

t.test('takes the worst verdict of the units', (t) => {
  const cases: [Verdict, Verdict[]][] = [
    ['error', []],
    ['pass', ['pass', 'pass']],
    ['notrun', ['pass', 'notrun']],
    ['fail', ['pass', 'fail', 'invalid', 'error', 'notrun']],
    ['invalid', ['error', 'invalid', 'pass']],
    ['error', ['pass', 'error', 'notrun']],
  ];
  for (const [worst, verdicts] of cases) t.equal(worstVerdict(units(...verdicts)), worst);
  t.end();
});

t.test('returns the exit codes of run', (t) => {
  const cases: [number, Verdict[]][] = [
    [0, ['pass']],
    [0, ['pass', 'notrun']],
    [1, ['fail']],
    [1, ['pass', 'invalid', 'error', 'fail']],
    [3, []],
    [3, ['notrun']],
    [3, ['pass', 'invalid']],
    [3, ['pass', 'error']],
    [3, ['invalid']],
    [3, ['error', 'notrun']],
  ];
  for (const [code, verdicts] of cases) {
    t.equal(exitCodeOfUnits(units(...verdicts)), code, verdicts.join(' '));
  }
  t.end();
});

t.test('never returns the exit code of a pass or a finding for a failure', (t) => {
  const codes: Record<FailureKind, number> = {
    usage: EXIT.usage,
    unreadable: EXIT.usage,
    'program-missing': EXIT.noVerdict,
    'kernel-unavailable': EXIT.noVerdict,
    'change-rejected': EXIT.noVerdict,
    'build-failed': EXIT.noVerdict,
    storage: EXIT.noVerdict,
    'tool-failed': EXIT.noVerdict,
    interrupted: EXIT.interrupted,
  };
  for (const [kind, code] of Object.entries(codes)) {
    t.equal(exitCodeOf(failure(kind as FailureKind, 'x', 'y').failure), code, kind);
  }
  t.strictSame(EXIT, { ok: 0, failed: 1, usage: 2, noVerdict: 3, interrupted: 130 });
  t.end();
});
