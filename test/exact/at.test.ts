import t from 'tap';
import { parsePoint } from '../../cli/exact/at.js';
import type { UnitResult } from '../../cli/results/run-result.js';

const finding = (more: object) =>
  ({ tool: 'kernel', severity: 'corruption', message: 'BUG: at fs/dax.c:1', ...more }) as never;
const UNIT: Pick<UnitResult, 'findings'> = {
  findings: [
    finding({ tool: 'e2fsck', message: 'x' }),
    finding({ severity: 'notice' }),
    finding({}),
  ],
};

t.test('points of an execution', async (t) => {
  const point = (text: string, unit = UNIT) => {
    const parsed = parsePoint(text, unit, 1000);
    return parsed.ok ? parsed.value : parsed.failure.kind;
  };
  t.strictSame(point('end'), { kind: 'end' });
  t.strictSame(point('count:999'), { kind: 'count', instructions: 999 });
  t.strictSame(point('console:a: b\nc'), { kind: 'console', text: 'a: b\nc' });
  t.strictSame(point('step:unmount'), { kind: 'console', text: 'daxrepro: unmount' });
  t.strictSame(point('finding'), { kind: 'console', text: 'BUG: at fs/dax.c:1' });
  const refused = ['', 'begin', 'end:1', 'count:0', 'count:1000', 'count:1e2', 'count:-1'];
  for (const text of [...refused, 'console:', 'step:', 'step:a b', 'finding:2', 'console']) {
    t.equal(point(text), 'usage', JSON.stringify(text));
  }
  t.equal(point('finding', { findings: [] }), 'usage', 'no moment is known');
});
