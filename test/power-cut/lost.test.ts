import t from 'tap';
import { type Lost, runAt } from '../../cli/power-cut/lost.js';

// Which run of lost lines has a byte of the device.

const run = (offset: number, lines: number): Lost => ({
  ...{ range: 0, offset, lines, state: 'dirty', store: null, writeBack: null },
});
const RUNS = [run(4096, 2), run(4224, 1), run(8192, 1)];

t.test('a run has its first byte and its last one, and no other', async (t) => {
  for (const [position, offset] of [
    [4095, undefined],
    [4096, 4096],
    [4223, 4096],
    [4224, 4224],
    [4287, 4224],
    [4288, undefined],
    [8191, undefined],
    [8192, 8192],
    [8255, 8192],
    [8256, undefined],
  ] as const) {
    t.equal(runAt(RUNS, position)?.offset, offset, String(position));
  }
});
