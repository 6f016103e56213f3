import { availableParallelism } from 'node:os';
import t from 'tap';
import { planUnits } from '../../cli/plan/plan.js';
import { RUN_DEFAULTS } from '../../cli/run/defaults.js';
import { guestsAtATime } from '../../cli/run/host.js';
import { checkRequest } from '../../cli/run/request.js';

const GIB = 2 ** 30;

function units(more: { size?: string; pmem?: string } = {}) {
  const checked = checkRequest('ext2', ['generic/002'], { ...RUN_DEFAULTS, ...more });
  if (!checked.ok) throw new Error(checked.failure.message);
  return planUnits(checked.value.request, '6.1.0');
}

t.test('allows no more guests than cores and memory', async (t) => {
  const cores = availableParallelism();
  t.equal(guestsAtATime(units(), true, 1024 * GIB), cores);
  // A clone and its two devices of 4 GiB take more than 8 GiB.
  t.equal(guestsAtATime(units({ size: '4G' }), true, 9 * GIB), 1);
  t.equal(guestsAtATime(units({ size: '4G' }), true, 18 * GIB), Math.min(cores, 2));
  t.equal(guestsAtATime(units(), true, 0), 1, 'one, always');
});

t.test('counts all the memory of a guest that boots', async (t) => {
  const most = (checkpoints: boolean) => guestsAtATime(units(), checkpoints, 3 * GIB);
  t.equal(most(true), Math.min(availableParallelism(), 2));
  t.equal(most(false), 1);
});

t.test('counts the guest that examines surviving images', async (t) => {
  const plain = units({ size: '64M' });
  const cut = plain.map((unit) => ({ ...unit, powerCut: { cuts: 2, states: 1 } }));
  t.equal(guestsAtATime(plain, true, 2 * GIB), Math.min(availableParallelism(), 2));
  t.equal(guestsAtATime(cut, true, 2 * GIB), 1);
});
