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

/** Assembler text that is executed where a kernel's code is. */
const inKernel = (code: string) =>
  `movabs $(HIGH + 1f), %rax; jmp *%rax; 1: ${code}; mov $2f, %eax; jmp *%rax; 2:`;

t.test(
  'a block that the kernel writes past the caches survives whole, or not at all',
  async (t) => {
    const directory = t.testdir();
    const ready = await rig(t);
    if (!ready) return;
    const stores = 'movnti A, (P); movnti A, 64(P); movnti A, 4032(P)';
    const programs = [
      { name: 'kernel', code: [inKernel(stores)], bytes: {} },
      { name: 'program', code: [stores], bytes: {} },
      { name: 'cached', code: [inKernel(stores.replaceAll('movnti', 'mov'))], bytes: {} },
    ];
    const out = await start(ready, assemble(programs, directory), directory, { states: 60 });
    const cuts = await observe(out);
    for (const [page, { name }] of programs.entries()) {
      const { event, byte } = cuts.get(name) ?? {};
      const seen = event?.states.map((state) =>
        [0, 64, 4032].map((offset) => byte?.(state, page * 4096 + offset)).join(),
      );
      const torn = seen?.some((bytes) => new Set(bytes.split(',')).size > 1);
      t.equal(torn, name !== 'kernel', name);
      t.ok(new Set(seen).size > 1, name);
    }
  },
);

t.test('with five levels of page tables', async (t) => {
  const directory = t.testdir({ five: {} });
  const ready = await rig(t);
  if (!ready) return;
  await judge(t, ready, join(directory, 'five'), ADDRESSES, true);
});
