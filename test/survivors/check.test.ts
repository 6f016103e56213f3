import { appendFileSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Unit } from '../../cli/plan/unit.js';
import type { PowerCutRecord } from '../../cli/record/power-cut.js';
import { type CheckContext, SurvivorCheck } from '../../cli/survivors/check.js';
import { BOOTS, type LogLine, PREPARED, readLog, type Step } from '../util/fake-qemu.js';

// The fate of surviving images, whatever the examining guest does. The guest is a fake.

/** The context of a check, without the plugin's directory. */
function contextIn(directory: string): Omit<CheckContext, 'cutDirectory'> {
  return {
    prepared: PREPARED,
    directory,
    store: { root: join(directory, 'cache') },
    checkpoints: false,
    progress: () => {},
    onStep: () => {},
  };
}

const UNIT = {
  fs: 'ext4',
  test: 'power-cut/mmap-msync',
  mkfsOptions: '',
  mountOptions: 'dax=always',
  seed: 1,
  powerCut: { cuts: 0, states: 0 },
  shape: {
    pmem: 'memmap',
    deviceSize: 64 * 2 ** 20,
    memory: 2 ** 30,
    cpus: 1,
  },
} as Unit;

/** The address of TEST_DEV in a machine of that shape; SCRATCH_DEV follows. */
const ADDRESS = 0x30000000;
const SCRATCH_ADDRESS = 0x40000000;

const QUESTIONS = 'name a\ndata 0 4096 17\n';
const KEPT = 'name file 4096\ndata same\nend\n';
const ALL_WELL = { repair: '', mount: '0', looked: '0', check: '0', said: '' };

/** Output of a check without findings. */
const CLEAN = `e2fsck 1.47.0 (5-Feb-2023)
Pass 1: Checking inodes, blocks, and sizes
Pass 2: Checking directory structure
Pass 3: Checking directory connectivity
Pass 4: Checking reference counts
Pass 5: Checking group summary information
/dev/vda1: 12/16384 files (0.0% non-contiguous), 8459/65536 blocks
`;

/** A guest's report about an image. */
function looksAt(
  number: number,
  { answers = KEPT, said = {}, during = [] as Step[], check = CLEAN } = {},
): Step[] {
  return [
    { event: { event: 'step', name: `survivor-${number}` } },
    ...during,
    ...(check === '' ? [] : [{ file: { name: `survivor-${number}-check`, text: check } }]),
    ...(answers === '' ? [] : [{ file: { name: `survivor-${number}`, text: answers } }]),
    { event: { event: 'survivor', number, ...ALL_WELL, ...said } },
    // The console comes after the channel: the kernel's messages are waited for.
    { sleep: 20, console: `[    5.000000] daxrepro: survivor ${number}.\n` },
  ];
}

const ALL: Record<string, Step[]> = Object.fromEntries(
  [1, 2, 3, 4, 5].map((number) => [String(number), looksAt(number)]),
);

/** A delta of one page, the first, if given. */
function delta(page?: Buffer, range = 0): Buffer {
  const head = (range: number, length: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(range, 0);
    bytes.writeUInt32LE(length, 4);
    return bytes;
  };
  const record = page ? [head(range, 4096), page] : [];
  return Buffer.concat([Buffer.from('DAXRCUT1'), ...record, head(0xffffffff, 0)]);
}
const pageOf = (byte: number) => Buffer.alloc(4096, byte);

const COUNTERS = { stores: 9, writeBacks: 5, fences: 3, requests: 0, untranslated: 0 };

/** The plugin's directory of a guest that promised bytes of a file, with this many cuts. */
function makeCuts(directory: string, cuts: number): void {
  mkdirSync(directory, { recursive: true });
  const record = (value: object) => ({
    event: 'promise',
    cpu: 0,
    text: JSON.stringify(value),
  });
  const events: object[] = [
    {
      ...{ event: 'open', version: 1, seed: 1 },
      ranges: [{ start: ADDRESS, size: 8192, flush: 'instructions' }],
    },
    { event: 'begin', label: 'begin', requests: 0 },
    record({ kind: 'create', name: 'a', file: 1 }),
    record({
      ...{ kind: 'promise', by: 'fsync', file: 1, name: 'a', size: 4096 },
      ...{ data: [[0, 4096, 17]], checksum: '0123456789abcdef' },
    }),
  ];
  writeFileSync(join(directory, 'base-0.img'), Buffer.alloc(8192, 1));
  for (let cut = 1; cut <= cuts; cut += 1) {
    writeFileSync(
      join(directory, `cut-${String(cut).padStart(6, '0')}.medium`),
      delta(pageOf(cut)),
    );
    events.push({
      ...{ event: 'cut', cut, cause: 'marker', label: '', cpu: 0, states: ['nothing'] },
      ...{ dirty: 0, pending: 0, lost: 0, store: null },
    });
  }
  events.push({ event: 'stop', label: 'end', counters: COUNTERS });
  const lines = events.map((event, index) => JSON.stringify({ sequence: index + 1, ...event }));
  writeFileSync(join(directory, 'events.jsonl'), `${lines.join('\n')}\n`);
}

interface Checked {
  record: PowerCutRecord;
  log: LogLine[];
  /** Which of the plugin's files are left. */
  left: string[];
}

async function check(
  t: Test,
  script: Step[],
  {
    cuts = 3,
    unit = UNIT,
    seconds = 60,
    address = ADDRESS,
    mountOptions = [] as string[],
    change = (_: string) => {},
  } = {},
): Promise<Checked> {
  const directory = t.testdir({});
  const cutDirectory = join(directory, 'cuts');
  makeCuts(cutDirectory, cuts);
  change(cutDirectory);
  const [file, log] = [join(directory, 'script.json'), join(directory, 'log')];
  writeFileSync(file, JSON.stringify(script));
  const restore = tellFake(file, log);
  const checking = new SurvivorCheck(unit, { ...contextIn(directory), cutDirectory, seconds });
  const done = await checking
    .conclude({
      modules: '',
      devices: [
        { name: '/dev/pmem0', address },
        { name: '/dev/pmem1', address: SCRATCH_ADDRESS },
      ],
      mountOptions,
    })
    .finally(() => checking.close())
    .finally(restore);
  if (!done.ok) throw new Error(done.failure.message);
  return { record: done.value, log: readLog(log), left: readdirSync(cutDirectory) };
}

/** @returns a function that undoes it */
function tellFake(script: string, log: string): () => void {
  Object.assign(process.env, { FAKE_QEMU_SCRIPT: script, FAKE_QEMU_LOG: log });
  return () => {
    delete process.env['FAKE_QEMU_SCRIPT'];
    delete process.env['FAKE_QEMU_LOG'];
  };
}

const guestThat = (looks: Record<string, Step[]>): Step[] => [...BOOTS, { looks }];

/** Whether all started processes have ended; one may have died before it logged its start. */
function allEnded(log: readonly LogLine[]): boolean {
  return log.every(({ pid }) => !isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

t.test('ignores findings on a device that was not watched', async (t) => {
  const lost = { answers: 'name file 4096\ndata differs 0 4095 4096 0 -1\nend\n' };
  const looks = { 1: looksAt(1, lost), 2: looksAt(2, lost), 3: looksAt(3, lost) };
  const here = await check(t, guestThat(looks));
  t.ok(here.record.findings.length > 0);
  const elsewhere = await check(t, guestThat(looks), { address: ADDRESS + 4096 });
  t.match(elsewhere.record, {
    findings: { length: 0 },
    images: 0,
    problem: /^TEST_DEV is at 0x30001000 /,
  });
});

t.test('checks each image for what was promised before its cut', async (t) => {
  const { record, log, left } = await check(t, guestThat(ALL));
  t.equal(record.problem, undefined);
  t.same(record.findings, []);
  t.match(record, { images: 3, asked: 9, promises: 1, cuts: { promised: 3, moments: 0 } });
  t.same(record.counters, COUNTERS);
  const asked = log.filter(({ look }) => look !== undefined);
  t.same(
    asked.map(({ look, questions }) => [look, questions]),
    [1, 2, 3].map((number) => [number, QUESTIONS]),
  );
  t.ok(
    log.some(({ request }) => request?.['SURVIVORS'] === '1' && request['RECOVERY'] === 'journal'),
  );
  t.same(left, ['events.jsonl'], 'examined images are deleted');
  t.ok(allEnded(log), 'its guest is gone');
});

t.test('finds a broken promise, and examines the other images all the same', async (t) => {
  const answers = 'name file 4096\ndata differs 0 63 64 1 8192\nend\n';
  const { record } = await check(t, guestThat({ ...ALL, 2: looksAt(2, { answers }) }));
  t.equal(record.images, 3);
  t.match(record.findings, [{ path: '/a', powerCut: { promise: 'fsync', cut: 2, images: 1 } }]);
  t.equal(record.findings.length, 1);
});

t.test('finds an image that cannot be mounted, or is not clean afterwards', async (t) => {
  const said = { mount: '32', looked: '', check: '', said: 'mount: Structure needs cleaning' };
  const looks = {
    1: looksAt(1, { answers: '', said }),
    2: looksAt(2, { said: { check: '4' } }),
    3: looksAt(3),
  };
  const { record } = await check(t, guestThat(looks));
  t.equal(record.problem, undefined);
  t.match(record.findings, [
    {
      message:
        /power cut in which nothing unflushed survives cannot be mounted: mount: Structure needs/,
    },
    { message: /fails its check: exit code 4/ },
  ]);
});

t.test('finds an image that makes the kernel panic, and goes on in another guest', async (t) => {
  const panic: Step[] = [
    { event: { event: 'step', name: 'survivor-2' } },
    { console: '[    6.000000] Kernel panic - not syncing: journal\n' },
    { exit: 0 },
  ];
  const { record, log } = await check(t, guestThat({ ...ALL, 2: panic }));
  t.equal(record.images, 2, 'the first and the third');
  t.match(record.findings, [
    { message: /makes the kernel panic: .*journal/, powerCut: { cut: 2 } },
  ]);
  t.equal(new Set(log.map(({ pid }) => pid)).size, 2);
});

t.test('blames kernel messages on the image under examination', async (t) => {
  const during = [{ console: '[    6.000000] kernel BUG at fs/jbd2/recovery.c:12!\n' }];
  const { record } = await check(t, guestThat({ ...ALL, 2: looksAt(2, { during }) }));
  t.equal(record.images, 3);
  t.match(record.findings, [
    { message: /makes the kernel complain: .*recovery.c/, powerCut: { cut: 2 } },
  ]);
});

t.test("ignores the file system's messages about recovery", async (t) => {
  const torn = 'XFS (vda1): Torn write (CRC failure) detected at log block 0x10. Truncating head';
  const during = [{ console: `[    6.000000] ${torn} block from 0x18.\n` }];
  const { record } = await check(t, guestThat({ ...ALL, 2: looksAt(2, { during }) }));
  t.same(record.findings, []);
  t.equal(record.problem, undefined);
  t.equal(record.images, 3);
});

t.test('takes no proof from a guest that cannot read its disk', async (t) => {
  const during = [
    { console: '[    6.000000] I/O error, dev vda, sector 131072 op 0x0:(READ) flags 0x0\n' },
  ];
  const said = { mount: '32', looked: '', check: '', said: 'mount: Input/output error' };
  const looks = { ...ALL, 2: looksAt(2, { answers: '', during, said }) };
  const { record } = await check(t, guestThat(looks));
  t.same(record.findings, []);
  t.match(record.problem, /the examining guest was in trouble: .*I\/O error, dev vda/);
});

t.test('ends a guest that hangs on an image', async (t) => {
  const { record, log } = await check(
    t,
    guestThat({ ...ALL, 2: [{ event: { event: 'step', name: 'survivor-2' } }] }),
    { seconds: 2 },
  );
  t.equal(record.images, 2);
  t.match(record.problem, /image "nothing" of power cut 2 ended \(unit-timeout\)/);
  t.same(record.findings, [], 'it may have been our machine');
  t.ok(allEnded(log));
});

t.test('gives up after a few guests that die at every image', async (t) => {
  const dies: Step[] = [{ event: { event: 'step', name: 'survivor-1' } }, { exit: 1 }];
  const others = [1, 2, 3, 4, 5].map((number) => [
    String(number),
    [{ event: { event: 'step', name: `survivor-${number}` } }, { exit: 1 }],
  ]);
  const { record, log } = await check(t, guestThat({ 1: dies, ...Object.fromEntries(others) }), {
    cuts: 5,
  });
  t.equal(record.images, 0);
  t.match(
    record.problem,
    /the guest that examined image "nothing" of power cut 1 ended \(qemu-died/,
  );
  t.equal(new Set(log.map(({ pid }) => pid)).size, 3);
});

t.test('does not blame an image for what happened before it', async (t) => {
  const script: Step[] = [
    ...BOOTS,
    { event: { event: 'gave-up', step: 'load-module', message: 'no such module', kernelLog: '' } },
    { event: { event: 'finished' } },
  ];
  const { record } = await check(t, script);
  t.match(record.problem, /the examining guest gave up: no such module/);
  t.same(record.findings, []);
});

t.test('takes no proof from a guest that leaves a step out', async (t) => {
  const cases: [name: string, look: Parameters<typeof looksAt>[1], problem: RegExp][] = [
    ['no check', { said: { check: '' } }, /it was not checked afterwards/],
    ['no mount', { said: { mount: '' } }, /it was not mounted/],
    ['no questions', { said: { looked: '' } }, /it was not questioned/],
    ['a check that crashed', { said: { check: '139' } }, /its check ended with 139/],
    ['no answers', { answers: '' }, /gave no answers/],
    ['too few answers', { answers: 'name file 4096\nend\n' }, /gave no answers/],
    ['others', { answers: 'name file 4096\ndata perhaps\nend\n' }, /gave no answers/],
  ];
  for (const [name, look, problem] of cases) {
    await t.test(name, async (t) => {
      const { record } = await check(t, guestThat({ ...ALL, 2: looksAt(2, look) }));
      t.match(record.problem, problem);
      t.same(record.findings, []);
    });
  }
  await t.test('no repair, because there is no journal', async (t) => {
    const unit = { ...UNIT, fs: 'ext2' } as Unit;
    const { record } = await check(t, guestThat(ALL), { unit });
    t.match(record.problem, /it was not repaired/);
  });
  await t.test('its report about another image', async (t) => {
    const wrong: Step[] = [
      { event: { event: 'step', name: 'survivor-2' } },
      { event: { event: 'survivor', number: 3, ...ALL_WELL } },
    ];
    const { record } = await check(t, guestThat({ ...ALL, 2: wrong }), { seconds: 2 });
    t.match(record.problem, /ended \(unit-timeout\)/);
    t.equal(record.images, 2);
  });
});

t.test('reports a full disk on the host', async (t) => {
  const full: Step[] = [
    { event: { event: 'step', name: 'survivor-2' } },
    {
      monitor: {
        event: 'BLOCK_IO_ERROR',
        data: { device: 'disk0', action: 'stop', reason: 'No space left on device' },
      },
    },
  ];
  const { record } = await check(t, guestThat({ ...ALL, 2: full }));
  t.match(record.problem, /storage.*No space left on device/);
  t.same(record.findings, []);
});

t.test('gives no pass if the plugin could not write', async (t) => {
  const full = { sequence: 9, event: 'problem', text: 'cannot write cut-000004.medium: No space' };
  const { record, log } = await check(t, guestThat(ALL), {
    change: (cuts) => appendFileSync(join(cuts, 'events.jsonl'), `${JSON.stringify(full)}\n`),
  });
  t.equal(record.problem, full.text);
  t.ok(allEnded(log));
  const torn = await check(t, guestThat(ALL), {
    change: (cuts) =>
      writeFileSync(join(cuts, 'cut-000002.medium'), delta(pageOf(2)).subarray(0, 100)),
  });
  t.match(torn.record.problem, /cut-000002.medium ends within a record/);
  t.ok(allEnded(torn.log));
});

t.test("gives no pass if a file system guarantees nothing, also a test's own", async (t) => {
  const { record } = await check(t, guestThat(ALL), {
    mountOptions: ['rw,dax=always', 'rw,nobarrier,dax=always'],
  });
  t.match(record.problem, /^within the test a file system was mounted with rw,nobarrier,/);
  t.same(record.findings, []);
});

/** The relevant part of an ext4 superblock with its own journal, and a distinguishing mark. */
function superblock(mark: number, journalInode = 8): Buffer {
  const page = pageOf(0);
  page.writeUInt16LE(0xef53, 1024 + 0x38);
  page.writeUInt32LE(4, 1024 + 0x5c);
  page.writeUInt32LE(journalInode, 1024 + 0xe0);
  page.writeUInt8(mark, 4095);
  return page;
}

const LOST = {
  offset: 4096,
  lines: 64,
  state: 'dirty',
  store: null,
  writeBack: null,
  before: true,
};

/** Replaces makeCuts' files: this many fsyncs on SCRATCH_DEV, each losing a page of the file. */
function makeCalls(directory: string, calls: number, journalInode?: number): void {
  const range = { size: 8192, flush: 'instructions' };
  const mark = (value: object) => ({ cpu: 0, text: JSON.stringify(value) });
  const call = {
    ...{ kind: 'call', by: 'fsync', device: 1, inode: 12, generation: 7, from: 0, to: 4096 },
    ...{ size: 4096, blocks: 8, links: 1, kept: true, unchanged: true, program: 'x', path: '/f' },
  };
  const events: object[] = [
    {
      ...{ event: 'open', version: 1, seed: 1 },
      ranges: [ADDRESS, SCRATCH_ADDRESS].map((start) => ({ ...range, start })),
    },
    { event: 'begin', label: 'calls', requests: 0 },
    { event: 'promise', ...mark({ kind: 'unmounting', device: 0 }) },
  ];
  for (let cut = 1; cut <= calls; cut += 1) {
    const name = join(directory, `cut-${String(cut).padStart(6, '0')}`);
    writeFileSync(`${name}.medium`, delta(superblock(cut, journalInode), 1));
    writeFileSync(`${name}.everything`, delta(superblock(100 + cut, journalInode), 1));
    // TEST_DEV has lost something there, too.
    const lost = [0, 1].map((range) => JSON.stringify({ range, ...LOST }));
    writeFileSync(`${name}.lost.jsonl`, `${lost.join('\n')}\n`);
    events.push(
      { event: 'return', ...mark(call), known: true, lost: 64 },
      {
        ...{ event: 'cut', cut, cause: 'call', label: '', cpu: 0, dirty: 64, pending: 0 },
        ...{ states: ['nothing', 'everything'], lost: 128, store: null },
      },
    );
  }
  const seen = { kind: 'calls', seen: calls, failed: 0, missed: 0 };
  events.push({ event: 'promise', ...mark(seen) });
  events.push({ event: 'stop', label: '', counters: COUNTERS });
  const lines = events.map((event, index) => JSON.stringify({ sequence: index + 1, ...event }));
  writeFileSync(join(directory, 'base-0.img'), Buffer.alloc(8192));
  writeFileSync(join(directory, 'base-1.img'), Buffer.alloc(8192));
  writeFileSync(join(directory, 'events.jsonl'), `${lines.join('\n')}\n`);
}

const THERE = { answers: 'file 12 4096 8 1 \ndone\nend\n' };
const ITS_OWN = { answers: 'file 12 4096 8 1 \nheld 0 4096 4096\ndone\nend\n' };

t.test('judges calls on SCRATCH_DEV by that device and its files', async (t) => {
  const looks = {
    1: looksAt(1, THERE),
    2: looksAt(2, ITS_OWN),
    3: looksAt(3, THERE),
    4: looksAt(4, THERE),
  };
  const { record, log, left } = await check(t, guestThat(looks), {
    cuts: 0,
    change: (cuts) => makeCalls(cuts, 2),
  });
  t.equal(record.problem, undefined);
  t.match(record, { images: 4, promises: 2, calls: { seen: 2, beyond: 0 } });
  t.match(record.findings, [
    { device: '/dev/pmem1', path: '/f', powerCut: { promise: 'fsync', from: 0, to: 4096, cut: 1 } },
  ]);
  t.equal(record.findings.length, 1);
  const questions = log.flatMap(({ look, questions }) => (look === undefined ? [] : [questions]));
  t.strictSame(questions.slice(0, 2), ['inode 12 7\n', 'lost 4096 4096\ninode 12 7\n']);
  t.same(left, ['events.jsonl']);
});

t.test('tells the plugin when enough promises are broken', async (t) => {
  const looks: Record<string, Step[]> = {};
  for (let number = 1; number <= 32; number += 2) {
    looks[number] = looksAt(number, THERE);
    looks[number + 1] = looksAt(number + 1, ITS_OWN);
  }
  const { record, left } = await check(t, guestThat(looks), {
    cuts: 0,
    change: (cuts) => makeCalls(cuts, 16),
  });
  t.match(record.findings, [{ powerCut: { images: 16 } }], 'all of one file');
  t.same(left.sort(), ['enough', 'events.jsonl']);
});

t.test('ignores defects on SCRATCH_DEV that exist where nothing is lost', async (t) => {
  const unclean = { ...THERE, said: { check: '4' } };
  const looks = {
    1: looksAt(1, unclean),
    2: looksAt(2, THERE),
    3: looksAt(3, unclean),
    4: looksAt(4, unclean),
  };
  const { record } = await check(t, guestThat(looks), {
    cuts: 0,
    change: (cuts) => makeCalls(cuts, 2),
  });
  t.match(record.findings, [{ device: '/dev/pmem1', powerCut: { promise: 'check', cut: 1 } }]);
  t.equal(record.findings.length, 1, 'not what the second cut shows');
});

t.test('does not judge a file system on SCRATCH_DEV with an external journal', async (t) => {
  const { record } = await check(t, guestThat(ALL), {
    cuts: 0,
    change: (cuts) => makeCalls(cuts, 2, 0),
  });
  t.match(record, { images: 0, promises: 0, calls: { seen: 2, unpromised: 2 } });
  t.same(record.findings, []);
});

t.test('reports where there is no room for the images', async (t) => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = join(t.testdir({}), 'is-not-there');
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  await t.rejects(check(t, guestThat(ALL)), { message: /Cannot write below .*is-not-there/ });
});

t.test('examines images while the guest runs, and cleans up on failure', async (t) => {
  const directory = t.testdir({});
  const cutDirectory = join(directory, 'cuts');
  makeCuts(cutDirectory, 3);
  const [file, log] = [join(directory, 'script.json'), join(directory, 'log')];
  writeFileSync(file, JSON.stringify(guestThat(ALL)));
  t.teardown(tellFake(file, log));
  const checking = new SurvivorCheck(UNIT, { ...contextIn(directory), cutDirectory });
  const looked = () => readLog(log).filter(({ look }) => look !== undefined).length;
  while (looked() < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(looked(), 3);
  await checking.close();
  t.ok(allEnded(readLog(log)));
  const open = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return '';
    }
  });
  t.same(
    open.filter((path) => path.includes(`daxrepro-${process.pid}-`)),
    [],
    'its disks are closed',
  );
});
