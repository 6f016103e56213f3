import t from 'tap';
import { outcomeOf, outcomeOfAll } from '../../cli/bisect/outcome.js';
import { stepExitOf, stepExitOfFailure } from '../../cli/bisect/step-exit.js';
import type { Finding } from '../../cli/findings/finding.js';
import type { FailureKind } from '../../cli/outcome.js';
import type { Verdict } from '../../cli/verdict/judge.js';

const unit = (verdict: Verdict, ending = 'finished', signatures: string[] = []) => ({
  verdict,
  ending,
  reason: 'chdir: No such file',
  findings: signatures.map((signature) => ({ signature, severity: 'corruption' }) as Finding),
});

t.test('tells good, bad, unknown and broken runs apart', async (t) => {
  t.equal(outcomeOf(unit('pass')), 'good');
  t.equal(outcomeOf(unit('fail')), 'bad');
  for (const verdict of ['invalid', 'notrun', 'error'] as const) {
    t.equal(outcomeOf(unit(verdict)), 'unknown', verdict);
  }
  t.equal(outcomeOf(unit('error', 'boot-timeout')), 'unknown', 'it does not boot');
  for (const ending of ['storage', 'qemu-died']) {
    t.equal(outcomeOf(unit('error', ending)), 'broken', ending);
  }
});

t.test('looks for one finding among several', async (t) => {
  t.equal(outcomeOf(unit('fail', 'finished', ['a', 'b']), 'b'), 'bad');
  t.equal(
    outcomeOf(unit('fail', 'finished', ['a']), 'b'),
    'good',
    'good: another bug, but the test ran to its end',
  );
  t.equal(outcomeOf(unit('fail', 'panic', ['a']), 'b'), 'unknown', 'another bug came first');
  t.equal(outcomeOf(unit('fail'), 'test:chdir-no-such-file'), 'bad', "the test's own words");
  t.equal(outcomeOf(unit('pass'), 'b'), 'good');
});

t.test('one bad run decides, and a good run never hides an unknown one', async (t) => {
  t.equal(outcomeOfAll(['good', 'unknown', 'broken', 'bad']), 'bad');
  t.equal(outcomeOfAll(['good', 'broken', 'unknown']), 'broken');
  t.equal(outcomeOfAll(['good', 'unknown']), 'unknown');
  t.equal(outcomeOfAll(['good', 'good']), 'good');
  t.equal(outcomeOfAll([]), 'unknown');
});

t.test('maps failures to exit codes of a step', async (t) => {
  t.equal(stepExitOf('good'), 0);
  t.equal(stepExitOf('bad'), 1);
  t.equal(stepExitOf('unknown'), 125);
  t.equal(stepExitOf('broken'), 128);
  const of = (kind: FailureKind) => stepExitOfFailure({ kind, message: '', remedy: '' });
  t.equal(of('build-failed'), 125);
  t.equal(of('change-rejected'), 125);
  t.equal(of('interrupted'), 130);
  const others: FailureKind[] = [
    ...(['usage', 'program-missing', 'unreadable', 'kernel-unavailable'] as const),
    ...(['storage', 'tool-failed'] as const),
  ];
  for (const kind of others) t.equal(of(kind), 128, kind);
});
