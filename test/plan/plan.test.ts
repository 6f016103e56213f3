import t from 'tap';
import { FILE_SYSTEMS } from '../../cli/file-systems.js';
import { DEFAULT_SIZE, planUnits, SMALLEST_SIZE } from '../../cli/plan/plan.js';
import type { RunRequest } from '../../cli/plan/unit.js';
import { BASE } from '../../cli/variant/variant.js';

const REQUEST: RunRequest = {
  fs: 'ext2',
  tests: ['generic/002'],
  suite: { name: 'builtin', version: '1' },
  kernel: 'debian:6.1',
  variant: BASE,
  pmem: 'memmap',
  timeout: 120,
  repeat: 1,
  untilFail: false,
  seed: 7,
  cpus: 1,
  control: false,
};
const plan = (more: Partial<RunRequest>, release = '6.1.0') =>
  planUnits({ ...REQUEST, ...more }, release);

t.test('plans all attempts of a test before the next test', (t) => {
  const units = plan({ tests: ['b', 'a'], repeat: 3 });
  t.strictSame(
    units.map(({ test, attempt }) => `${test} ${attempt}`),
    ['b 1', 'b 2', 'b 3', 'a 1', 'a 2', 'a 3'],
  );
  t.end();
});

t.test('plans all tests before the next attempt with --until-fail', async (t) => {
  const units = plan({ tests: ['b', 'a'], repeat: 2, untilFail: true });
  t.strictSame(
    units.map(({ test, attempt }) => `${test} ${attempt}`),
    ['b 1', 'a 1', 'b 2', 'a 2'],
  );
});

t.test('gives each attempt its own seed, the same for every test', async (t) => {
  const seeds = (more: Partial<RunRequest>) =>
    plan({ tests: ['a', 'b'], repeat: 3, ...more }).map(({ seed }) => seed);
  t.strictSame(seeds({}), [7, 8, 9, 7, 8, 9]);
  t.strictSame(seeds({ seed: 2 ** 32 - 1 }), [2 ** 32 - 1, 0, 1, 2 ** 32 - 1, 0, 1]);
});

t.test('chooses the mount option for DAX by file system and release', (t) => {
  const options: [string, Partial<RunRequest>, string][] = [
    ['dax', {}, '6.1.0'],
    ['dax', {}, '4.5.0'],
    ['dax=always', { fs: 'ext4' }, '5.8.0'],
    ['dax', { fs: 'ext4' }, '5.7.19'],
    ['dax=always', { fs: 'xfs' }, '6.12.1'],
    ['dax', { fs: 'xfs' }, '4.19.0'],
    ['dax,noatime', { mountOptions: 'noatime' }, '6.1.0'],
    ['', { control: true }, '6.1.0'],
    ['noatime', { control: true, mountOptions: 'noatime' }, '6.1.0'],
  ];
  for (const [expected, more, release] of options) {
    t.equal(plan(more, release)[0]?.mountOptions, expected, `${JSON.stringify(more)} ${release}`);
  }
  t.end();
});

t.test('turns off reflink on xfs if DAX requires it, unless the user set it', (t) => {
  const options: [string, Partial<RunRequest>, string][] = [
    ['-m reflink=0', { fs: 'xfs' }, '6.1.0'],
    ['', { fs: 'xfs' }, '6.2.0'],
    ['', { fs: 'ext4' }, '6.1.0'],
    ['-m reflink=1', { fs: 'xfs', mkfsOptions: '-m reflink=1' }, '6.1.0'],
    ['-m reflink=0 -b size=1024', { fs: 'xfs', mkfsOptions: '-b size=1024' }, '6.1.0'],
  ];
  for (const [expected, more, release] of options) {
    t.equal(plan(more, release)[0]?.mkfsOptions, expected, `${JSON.stringify(more)} ${release}`);
  }
  t.end();
});

t.test('turns off what mkfs.xfs is too new for', (t) => {
  const options: [string, Partial<RunRequest>, string][] = [
    ['-m reflink=0 -i exchange=0 -n parent=0', { xfsprogs: '7.2.0' }, '6.1.0-57-amd64'],
    ['', { xfsprogs: '7.2.0' }, '6.12.117'],
    ['-m reflink=0', { xfsprogs: '6.1.0' }, '6.1.0'],
    ['-m reflink=0', { xfsprogs: undefined }, '6.1.0'],
    ['-m reflink=0', { xfsprogs: '6.1.0' }, '5.10.0'],
    ['-m reflink=0 -i exchange=0 -n parent=0 -i nrext64=0', { xfsprogs: '6.13.0' }, '5.10.0'],
    ['-m reflink=0 -m bigtime=0 -m inobtcount=0', { xfsprogs: '6.1.0' }, '4.19.0'],
    [
      '-m reflink=0 -i exchange=0 -n parent=0 -i nrext64=0 -m bigtime=0 -m inobtcount=0 -m rmapbt=0',
      { xfsprogs: '7.2.0' },
      '4.5.0',
    ],
    [
      '-m reflink=0 -n parent=0 -i exchange=1',
      { xfsprogs: '7.2.0', mkfsOptions: '-i exchange=1' },
      '6.1.0',
    ],
    ['', { fs: 'ext4', xfsprogs: '7.2.0' }, '4.5.0'],
  ];
  for (const [expected, more, release] of options) {
    const [unit] = plan({ fs: 'xfs', ...more }, release);
    t.equal(unit?.mkfsOptions, expected, `${JSON.stringify(more)} ${release}`);
  }
  t.end();
});

t.test('chooses the size of devices', (t) => {
  for (const fs of FILE_SYSTEMS) {
    t.equal(plan({ fs })[0]?.shape.deviceSize, DEFAULT_SIZE[fs]);
    t.ok(DEFAULT_SIZE[fs] >= SMALLEST_SIZE[fs]);
    t.equal(DEFAULT_SIZE[fs] % (2 * 2 ** 20), 0);
  }
  t.equal(plan({ size: 2 ** 30 })[0]?.shape.deviceSize, 2 ** 30);
  t.end();
});
