import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readEvents } from '../../cli/power-cut/events.js';
import { assemble } from './bare.js';
import { mistakes } from './judge.js';
import { ADDRESSES, PROGRAMS, type Program } from './programs.js';
import { type Rig, rig, start } from './rig.js';
import { observe, partial } from './survivors.js';

/** The model against what the architecture's manual says: each program in one boot, a cut after each. */

async function judge(
  t: Test,
  ready: Rig,
  directory: string,
  programs: readonly Program[],
  fiveLevels: boolean,
) {
  const image = assemble(programs, directory, { fiveLevels });
  const out = await start(ready, image, directory);
  const cuts = await observe(out);
  for (const [page, program] of programs.entries()) {
    const observed = cuts.get(program.name);
    if (observed) t.same(mistakes(program, page, observed), [], program.name);
    else t.fail(`${program.name} did not run`);
  }
  const last = (await readEvents(out)).at(-1);
  t.match(last, { event: 'end', counters: { untranslated: 0 } });
  t.same(partial(out), []);
}

t.test('what survives, by instruction and order', async (t) => {
  const directory = t.testdir({ four: {}, five: {} });
  const ready = await rig(t);
  if (!ready) return;
  t.equal(new Set(PROGRAMS.map(({ name }) => name)).size, PROGRAMS.length, 'names are unique');
  await judge(t, ready, join(directory, 'four'), PROGRAMS, false);
});

t.test('with five levels of page tables', async (t) => {
  const directory = t.testdir({ five: {} });
  const ready = await rig(t);
  if (!ready) return;
  await judge(t, ready, join(directory, 'five'), ADDRESSES, true);
});
