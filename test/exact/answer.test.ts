import t from 'tap';
import { answerOf, flushOf } from '../../cli/exact/answer.js';
import { GuestCode } from '../../cli/exact/code.js';
import { parseSeen } from '../../cli/exact/stores.js';
import { KIND, makeSlot, type Slot } from './seen.js';

const seen = (...slots: Slot[]) => parseSeen(Buffer.concat(slots.map(makeSlot)));

const LOCATED = { offset: 8192, blockSize: 4096, block: 2, byte: 0 };
const WATCHED = {
  ...{ low: 1, disk: 'pmem0', unit: 4096, byte: 0, physical: 0x3000n, located: LOCATED },
};
const CONTEXT = {
  ...{ asked: '2', code: new GuestCode(undefined, []), kernel: undefined },
  console: Buffer.from('[    1.000000] one\r\n[    2.000000] two\r\nthr'),
  instructions: 1000,
};
const answer = (
  memory: Slot[],
  medium: Slot[],
  end = { instructions: 1000, memory: 0, medium: 0 },
) =>
  answerOf(
    {
      ...{ memory: seen(...memory), medium: seen(...medium) },
      end: { ...end, memory: end.memory || memory.length, medium: end.medium || medium.length },
    },
    WATCHED,
    CONTEXT,
  );

t.test(
  'says whether something was stored to the medium after the last store in memory',
  async (t) => {
    const memory = [{ number: 2, disk: 'pmem0' }];
    const before = { number: 1, kind: KIND.mediumStore };
    const after = { number: 3, kind: KIND.mediumStore };
    t.equal(answer(memory, [before]).copied, false);
    t.equal(answer(memory, [before, after]).copied, true);
    t.equal(answer(memory, []).copied, false);
    t.equal(answer([], [before]).copied, undefined, 'nothing was seen in memory');
  },
);

t.test('leaves out the same block of other devices', async (t) => {
  const other = { number: 5, disk: 'pmem1' };
  const { memory, copied } = answer([{ number: 1, disk: 'pmem0' }, other, { number: 6 }], []);
  t.match(memory, { count: 1, last: { length: 1 } });
  t.equal(copied, false);
  const forgotten = answer([other], [], { instructions: 1000, memory: 600, medium: 0 });
  t.strictSame(forgotten.memory, { count: undefined, last: [] }, 'the older ones are not known');
});

t.test('takes slots in the order of their numbers', async (t) => {
  const { memory } = answer(
    [7, 9, 8].map((number) => ({ number, disk: 'pmem0', value: Buffer.of(number) })),
    [],
  );
  t.strictSame(
    memory.last.map(({ value }) => value),
    ['07', '08', '09'],
  );
});

t.test('a store is on the medium after a write-back and a fence, in this order', async (t) => {
  const { mediumStore, writeBack, onMedium } = KIND;
  const flush = (...kinds: [kind: number, nonTemporal?: boolean][]) =>
    flushOf(
      seen(
        ...kinds.map(([kind, nonTemporal = false], index) => ({
          number: index + 1,
          kind,
          nonTemporal,
        })),
      ),
    )?.map(({ number }) => number);
  t.strictSame(flush([mediumStore], [writeBack], [onMedium]), [2, 3]);
  t.strictSame(flush([mediumStore, true], [onMedium]), [2]);
  t.equal(flush([mediumStore], [writeBack]), undefined);
  t.equal(flush([mediumStore], [onMedium]), undefined, 'a fence without a write-back');
  t.equal(
    flush([mediumStore], [writeBack], [mediumStore], [onMedium]),
    undefined,
    'an older store',
  );
  t.equal(flush([mediumStore, true]), undefined);
  t.equal(flush(), undefined);
});

t.test('tells the moment: number, clock, process and console', async (t) => {
  const slot = {
    ...{ number: 1, disk: 'pmem0', instructions: 500, clock: 2_500_000_999n, console: 21 },
    task: { name: 'mkdir', pid: 12 },
  };
  t.match(answer([slot], []).memory.last, [
    {
      instructions: { least: 500, most: 500 },
      seconds: 2.5,
      process: { name: 'mkdir', pid: 12 },
      console: { line: 2, text: '[' },
    },
  ]);
  const off = answer([{ ...slot, console: 0 }], [], { instructions: 1007, memory: 1, medium: 0 });
  t.match(off.memory.last, [{ instructions: { least: 493, most: 507 }, console: null }]);
  const user = answer([{ ...slot, code: 0x401234n }], []).memory.last[0];
  t.match(user, { code: { in: 'user space', address: '0x401234' }, complete: false });
  t.strictSame(user?.callers, []);
});
