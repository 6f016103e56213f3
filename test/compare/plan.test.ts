import { fileURLToPath } from 'node:url';
import t from 'tap';
import { requestedCase } from '../../cli/compare/case-flags.js';
import { cellFinder, cellNameOf, planComparison, unitsOf } from '../../cli/compare/plan.js';
import { formatFailure } from '../../cli/outcome.js';
import { type Case, cellKey } from '../../cli/results/case.js';
import { replayCommand } from '../../cli/run/replay-command.js';

const CASE: Case = {
  file: null,
  title: null,
  kernel: 'debian:6.1',
  suite: 'builtin',
  variants: [
    { name: 'base', changes: [] },
    { name: 'v2', changes: ['/p/a.patch', '/p/b c.cocci'] },
    { name: '1/2 one', changes: ['/p/series.mbox'], steps: 1 },
  ],
  fileSystems: ['ext2', 'xfs'],
  tests: ['generic/002', 'dax/symlinks'],
  pmem: ['memmap', 'none'],
  powerCut: [false],
  options: {},
  expectations: [
    { cells: {}, expected: { verdict: 'pass' } },
    { cells: { variants: ['v2'] }, expected: { verdict: 'fail' } },
  ],
};

const plan = (more: Partial<Case> = {}, flags = {}) => {
  const planned = planComparison({ ...CASE, ...more }, { repeat: '1', accel: 'tcg', ...flags });
  if (!planned.ok) throw new Error(formatFailure(planned.failure));
  return planned.value;
};

t.test('plans every cell once, row by row', (t) => {
  const { cells, accelerator, jobs } = plan({}, { jobs: '3' });
  t.equal(cells.length, 2 * 2 * 2 * 3);
  t.equal(new Set(cells.map(({ name }) => cellKey(name))).size, cells.length);
  t.strictSame(
    cells.slice(0, 4).map(({ name: { powerCut: _, ...name } }) => Object.values(name).join(' ')),
    [
      'base ext2 generic/002 memmap',
      'v2 ext2 generic/002 memmap',
      '1/2 one ext2 generic/002 memmap',
      'base ext2 generic/002 none',
    ],
  );
  t.strictSame(cells[1]?.expected, { verdict: 'fail' });
  t.strictSame([accelerator, jobs], ['tcg', 3]);
  t.end();
});

t.test('plans the first attempt of every cell before any second one', (t) => {
  const { cells } = plan({}, { repeat: '2' });
  const units = unitsOf(cells, () => '6.1.0');
  t.equal(units.length, 2 * cells.length);
  t.ok(units.slice(0, cells.length).every(({ attempt }) => attempt === 1));
  const find = cellFinder(cells);
  t.strictSame(
    units.slice(cells.length).map((unit) => find(cellNameOf(unit))),
    cells,
  );
  t.equal(units[1]?.variant, 'v2');
  t.end();
});

t.test('applies options per file system, and the control only without pmem', (t) => {
  const { cells } = plan({
    options: { size: { xfs: '600M' }, mkfsOpts: { ext2: '-I 256' }, timeout: '5m', control: true },
  });
  for (const { name, request } of cells) {
    t.equal(request.size, name.fs === 'xfs' ? 600 * 2 ** 20 : undefined);
    t.equal(request.mkfsOptions, name.fs === 'ext2' ? '-I 256' : undefined);
    t.equal(request.timeout, 300);
    t.equal(request.control, name.pmem === 'none');
  }
  t.end();
});

t.test('makes separate rows with and without power cuts, all emulated', (t) => {
  const both: Partial<Case> = {
    fileSystems: ['ext2'],
    tests: ['power-cut/append'],
    pmem: ['memmap'],
  };
  const variants = CASE.variants.slice(0, 2);
  for (const powerCut of [
    [false, true],
    [true, false],
  ]) {
    const of = { ...both, variants, powerCut };
    const { cells, accelerator } = plan(of, { accel: 'auto', cuts: '7', seed: '5' });
    const [first, second] = powerCut;
    t.strictSame(
      cells.map(({ name }) => `${name.variant} ${name.powerCut}`),
      [`base ${first}`, `v2 ${first}`, `base ${second}`, `v2 ${second}`],
    );
    t.equal(accelerator, 'tcg', 'the same accelerator for all cells');
    for (const { name, request } of cells) {
      t.equal(request.powerCut?.cuts, name.powerCut ? 7 : undefined);
    }
    const units = unitsOf(cells, () => '6.1.0');
    const find = cellFinder(cells);
    t.strictSame(
      units.map((unit) => find(cellNameOf(unit))),
      cells,
    );
    const commands = units.map((unit) => replayCommand(unit, find(cellNameOf(unit)).request));
    const cut = commands.filter((command) => command.includes('--power-cut --cuts 7 --seed 5'));
    t.equal(cut.length, 2, commands.join('\n'));
  }
  const none = planComparison(CASE, { repeat: '1', accel: 'tcg', cuts: '7' });
  t.match(none, { ok: false, failure: { message: '--cuts without --power-cut' } });
  t.end();
});

t.test('gives each cell the command of a single run', (t) => {
  const { cells } = plan({ kernel: 'debian:5.10', fileSystems: ['ext2'], pmem: ['memmap'] });
  const commands = unitsOf(cells, () => '5.10.0').map((unit) =>
    replayCommand(unit, cellFinder(cells)(cellNameOf(unit)).request),
  );
  const run = 'daxrepro run ext2 generic/002 --kernel debian:5.10';
  t.strictSame(commands.slice(0, 3), [
    run,
    `${run} --patch /p/a.patch --patch '/p/b c.cocci'`,
    `${run} --patch /p/series.mbox --steps 1`,
  ]);
  t.end();
});

t.test('rejects invalid flags', (t) => {
  for (const flags of [{ repeat: '0' }, { accel: 'fast' }, { jobs: 'x' }]) {
    const planned = planComparison(CASE, { repeat: '1', accel: 'tcg', ...flags });
    t.match(planned, { ok: false, failure: { kind: 'usage' } });
  }
  t.end();
});

t.test('plans tests of an xfstests tree', async (t) => {
  const suite = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));
  const change = fileURLToPath(
    new URL('../../kernels/variants/early-return.cocci', import.meta.url),
  );
  const asked = await requestedCase(undefined, {
    fs: ['ext2', 'xfs'],
    group: ['quick'],
    test: ['generic/002-003'],
    variant: [`v2=${change}`],
    repeat: '1',
    accel: 'tcg',
    suite,
  });
  if (!asked.ok) throw new Error(formatFailure(asked.failure));
  t.same(asked.value.tests, ['generic/002', 'generic/003', 'generic/001']);
  const flags = { repeat: '1', accel: 'tcg' };
  const plan = planComparison(asked.value, flags);
  if (!plan.ok) throw new Error(formatFailure(plan.failure));
  const units = unitsOf(plan.value.cells, () => '6.1.0', {
    suite: { file: '/tree.cpio', key: 'k', version: 'v1+abc', content: 'abc' },
  });
  t.equal(units.length, 12);
  for (const unit of units) {
    t.match(unit, { suite: { name: 'xfstests', version: 'v1+abc' }, timeout: 900 });
  }
  t.match(planComparison({ ...asked.value, suite: '/' }, flags), { ok: false });
});

t.test('cells have the environment and the devices of the case', (t) => {
  const { cells } = plan({
    fileSystems: ['xfs'],
    kernel: 'debsrc:6.1',
    options: {
      cpus: '2',
      append: 'slub_debug=FZP',
      sysctl: ['vm.dirty_ratio=5'],
      debug: ['kasan'],
      logDevice: true,
      partition: true,
      stack: 'linear',
    },
  });
  t.equal(cells.length, 12);
  for (const { request } of cells) {
    t.match(request, {
      cpus: 2,
      append: 'slub_debug=FZP',
      sysctl: ['vm.dirty_ratio=5'],
      memory: 2 * 2 ** 30,
      devices: ['log-device'],
      partition: true,
      stack: 'linear',
    });
    t.match(request.build?.kconfig, [/kasan/]);
  }
  t.end();
});
