import t from 'tap';
import { brokenPromises, questionsOf } from '../../cli/power-cut/answers.js';
import { CallLog } from '../../cli/power-cut/call-log.js';
import { readMark, type SyncCall } from '../../cli/power-cut/call-marks.js';
import { type CallClaim, claimOf } from '../../cli/power-cut/calls.js';
import type { CutEvent } from '../../cli/power-cut/events.js';
import { guaranteesOf } from '../../cli/power-cut/guarantees.js';
import type { Lost } from '../../cli/power-cut/lost.js';

// What sync calls that were seen from outside promise, and what an image's answers say of it.

const CALL = {
  ...{ kind: 'call', by: 'fsync', device: 0, inode: 12, generation: 7 },
  ...{ from: 0, to: 2 ** 53 - 1, size: 10_000, blocks: 24, links: 1 },
  ...{ kept: true, unchanged: true, program: 'fsx', path: '/d/a' },
};
const SYNC = { kind: 'call', by: 'sync', kept: true, program: 'sync' };

const call = (more: object = {}): SyncCall => {
  const mark = readMark(JSON.stringify({ ...CALL, ...more }));
  if (mark?.kind !== 'call') throw new Error('no call');
  return mark;
};
const run = (offset: number, more: Partial<Lost> = {}): Lost => ({
  ...{ range: 0, offset, lines: 2, state: 'dirty', store: null, writeBack: null, before: true },
  ...more,
});

const broken = (claim: CallClaim, answers: string[], before?: string[]) =>
  brokenPromises(
    { names: [], moves: [], call: claim },
    [...(before ? [...before, 'end', 'repaired'] : []), ...answers, 'end', ''].join('\n'),
  );
const FOUND = 'file 12 10000 24 1 ';

t.test('marks are read, and texts of the guest are theirs', async (t) => {
  t.match(call({ path: '/\u00c3\u00a9' }), { path: '/é', by: 'fsync', inode: 12 });
  t.equal(readMark('{"kind":"call","by":"a b"}'), undefined);
  t.equal(readMark('{"kind":"change"}'), undefined);
  t.equal(readMark('no JSON'), undefined);
});

t.test('a line of the file that was stored before the call is lost', async (t) => {
  const claim = claimOf(call(), true, [run(4096), run(8192, { before: false })]);
  t.equal(questionsOf({ names: [], moves: [], call: claim }), 'lost 4096 128\ninode 12 7\n');
  t.strictSame(broken(claim, [FOUND, 'done']), [], 'of another file');
  t.match(broken(claim, [FOUND, 'held 8192 4096 128', 'held 8320 12288 64', 'done']), [
    {
      ...{ kind: 'data', by: 'fsync', name: 'd/a', from: 8192, to: 8384, position: 4096 },
      ...{ lost: { offset: 4096 }, message: /^d\/a: bytes 8192 to 8383 are not/ },
    },
  ]);
  const apart = broken(claim, [FOUND, 'held 9000 70000 64', 'held 0 4096 64', 'done']);
  t.match(apart, [{ from: 0, to: 64, message: /bytes 0 to 63 and 1 more part are/ }]);
});

t.test('only what was synced, and what the file has', async (t) => {
  const claim = claimOf(call({ by: 'msync', from: 4096, to: 8192 }), true, [run(4096)]);
  const held = (offset: number, length: number) =>
    broken(claim, [FOUND, `held ${offset} 4096 ${length}`, 'done']);
  t.strictSame(held(0, 4096), []);
  t.strictSame(held(8192, 64), []);
  t.match(held(4032, 128), [{ from: 4096, to: 4160, position: 4096 + 64 }]);
  const whole = claimOf(call(), true, [run(4096)]);
  const beyond = (offset: number) => broken(whole, [FOUND, `held ${offset} 4096 64`, 'done']);
  t.strictSame(beyond(10_048), [], 'beyond the end of the file');
  t.match(beyond(9984), [{ from: 9984, to: 10_000 }]);
});

t.test(
  'what was taken from the file meanwhile is not judged, nor its size if it was written',
  async (t) => {
    t.strictSame(claimOf(call({ kept: false, unchanged: false }), true, [run(4096)]).lost, []);
    const written = claimOf(call({ unchanged: false }), true, [run(4096)]);
    t.equal(written.lost.length, 1);
    t.strictSame(broken(written, ['file 12 5 8 1 ', 'done']), []);
    t.strictSame(broken(written, ['done']), []);
  },
);

t.test('size, blocks and name', async (t) => {
  const claim = claimOf(call(), true, []);
  t.match(broken(claim, ['file 12 9000 24 1 ', 'done']), [
    { kind: 'size', message: 'd/a has 9000 bytes, not 10000' },
  ]);
  t.match(broken(claim, ['file 12 10000 16 1 ', 'done']), [{ kind: 'blocks' }]);
  t.strictSame(broken(claim, ['file 12 10000 32 1 ', 'done']), []);
  for (const gone of [['done'], ['file 12 10000 24 0 ', 'done']]) {
    t.match(broken(claim, gone), [{ kind: 'name', name: 'd/a' }]);
    t.strictSame(broken(claimOf(call(), false, []), gone), [], 'no name is promised');
    t.strictSame(broken(claimOf(call({ links: 0 }), true, []), gone), [], 'it had none');
    t.strictSame(broken(claimOf(call({ by: 'fdatasync' }), true, []), gone), []);
  }
});

t.test('whose blocks they are is asked before a repair, the size after it', async (t) => {
  const claim = claimOf(call(), false, [run(4096)]);
  const [own, other] = [
    [FOUND, 'held 0 4096 64', 'done'],
    [FOUND, 'done'],
  ];
  t.match(broken(claim, other, own), [{ kind: 'data' }]);
  t.strictSame(broken(claim, own, other), [], 'e2fsck gave it blocks');
  t.match(broken(claim, ['file 12 9 24 1 ', 'done'], other), [{ kind: 'size' }]);
});

t.test('sync is asked of all files', async (t) => {
  const claim = claimOf(call({ ...SYNC, inode: undefined }), true, [run(4096)]);
  t.equal(questionsOf({ names: [], moves: [], call: claim }), 'lost 4096 128\ntree\n');
  t.strictSame(broken(claim, ['done']), []);
  const answers = [
    'file 3 100 8 1 x%20y',
    'held 0 4096 64',
    'file 4 50 8 1 z',
    'held 64 8192 64',
    'done',
  ];
  t.match(broken(claim, answers), [{ by: 'sync', name: 'x%20y', from: 0, to: 64 }]);
  t.equal(broken(claim, answers)?.length, 1, 'beyond the end of z');
  const none = claimOf(call({ ...SYNC, inode: undefined }), true, []);
  t.strictSame(broken(none, []), []);
});

/** So many runs of one line each, every second line. */
const scattered = (count: number) =>
  Array.from({ length: count }, (_, index) => run(4096 + 128 * index, { lines: 1 }));

t.test('all lost lines are asked for, however many runs they make', async (t) => {
  const lost = scattered(20_000);
  const claim = claimOf(call(), true, lost);
  const questions = questionsOf({ names: [], moves: [], call: claim });
  t.equal(questions.split('\n').filter((line) => line.startsWith('lost ')).length, 20_000);
  const { offset } = lost.at(-1) as Lost;
  t.match(broken(claim, [FOUND, `held 64 ${offset} 64`, 'done']), [
    { kind: 'data', from: 64, to: 128, position: offset, lost: { offset } },
  ]);
});

t.test('runs that touch are one question, and each keeps who stored it', async (t) => {
  const store = { address: '0x1', kernel: true, cpu: 0, kind: 'store' as const };
  const lost = [run(4096), run(4096 + 128, { store }), run(8192)];
  const claim = claimOf(call(), true, lost);
  t.equal(
    questionsOf({ names: [], moves: [], call: claim }),
    'lost 4096 256\nlost 8192 128\ninode 12 7\n',
  );
  const held = (position: number) =>
    broken(claim, [FOUND, `held 64 ${position} 64`, 'done'])?.[0]?.lost;
  t.match(held(4096 + 64), { offset: 4096, store: null });
  t.match(held(4096 + 128), { offset: 4096 + 128, store }, 'the first line after a run');
  t.match(held(4096 + 192), { offset: 4096 + 128, store }, 'the last line of a run');
  t.equal(held(4096 + 256), undefined, 'the first line after the last run');
});

t.test('answers to something else are none', async (t) => {
  const claim = claimOf(call(), true, [run(4096)]);
  for (const answers of [
    [],
    ['done', 'done2'],
    ['file x 1 1 1 ', 'done'],
    ['held 1 2 3', 'done'],
  ]) {
    t.equal(broken(claim, answers), undefined, answers.join());
  }
});

function logOf(fs: 'ext2' | 'ext4'): CallLog {
  const guarantees = guaranteesOf(fs, { mkfsOptions: '', mountOptions: 'dax' });
  const log = guarantees && CallLog.begin('calls', guarantees);
  if (!log) throw new Error('no log');
  return log;
}
const returned = (lost: number, mark: object = CALL) => ({
  ...{ event: 'return' as const, sequence: 1, cpu: 0, text: JSON.stringify(mark) },
  ...{ known: true, lost },
});
const cut = (more: Partial<CutEvent> = {}): CutEvent => ({
  ...{ event: 'cut', sequence: 2, cut: 1, cause: 'call', label: '', cpu: 0, states: ['nothing'] },
  ...{ dirty: 0, pending: 0, lost: 0, store: null },
  ...more,
});

t.test('a call at which nothing is lost was kept; else it takes a cut', async (t) => {
  const log = logOf('ext4');
  t.ok(log.returned(returned(0)));
  t.match(log.count(), { promises: 1, calls: { seen: 1, beyond: 0 } });
  t.ok(log.returned(returned(2)));
  const both = ['nothing', 'everything'];
  const [judged] = log.judge(cut({ states: both }), [run(4096), run(4096, { range: 1 })]);
  t.match(judged, { device: 0, lost: [{ range: 0 }] });
  t.equal(judged?.states.get('everything')?.call?.lost.length, 1);
  t.equal(judged?.states.get('nothing')?.call?.lost.length, 0);
  t.equal(judged?.states.get('nothing')?.call?.file?.inode, 12);
  t.match(log.count(), { promises: 2 });
  t.ok(log.returned(returned(3)));
  t.ok(log.returned(returned(3, { ...CALL, kept: false, unchanged: false })));
  t.match(log.count(), { promises: 2, calls: { seen: 4, changed: 1, beyond: 1 } });
  t.strictSame(log.judge(cut({ cause: 'moment' }), []), [
    { device: 0, lost: [], states: new Map([['nothing', { names: [], moves: [] }]]) },
  ]);
});

t.test('a call that lost more than one image can be asked for is not judged', async (t) => {
  const log = logOf('ext4');
  const lost = scattered(300_000);
  log.returned(returned(lost.length));
  const [judged] = log.judge(cut({ states: ['nothing', 'everything'] }), lost);
  const { call: asked } = judged?.states.get('everything') ?? {};
  t.equal(asked?.file?.inode, 12, 'its size and its name are');
  t.equal(asked?.lost.length, 0);
  t.match(log.count(), { promises: 0, calls: { seen: 1, beyond: 1 } });
  log.returned(returned(1));
  log.judge(cut({ states: ['everything'] }), [run(4096, { lines: 1 })]);
  t.match(log.count(), { promises: 1, calls: { seen: 2, beyond: 1 } });
});

t.test('nor is one whose lost lines were not all told', async (t) => {
  const log = logOf('ext4');
  log.returned(returned(3));
  log.judge(cut({ states: ['everything'] }), [run(4096), run(8192, { before: false })]);
  t.match(log.count(), { promises: 0, calls: { seen: 1, beyond: 1 } });
});

t.test('nor is one of which it is not known when it began', async (t) => {
  const log = logOf('ext4');
  log.returned({ ...returned(0), known: false });
  log.judge(cut({ states: ['everything'] }), []);
  t.match(log.count(), { promises: 0, calls: { seen: 1, beyond: 1 } });
});

t.test('of many at which something is lost, what says whose it is', async (t) => {
  const log = logOf('ext4');
  const looked = Array.from({ length: 40 }, () => {
    log.returned(returned(1));
    const states = ['nothing', 'everything', 'random-1'];
    const [judged] = log.judge(cut({ states }), [run(4096, { lines: 1 })]);
    return [...(judged?.states.keys() ?? [])];
  });
  t.equal(looked[0]?.length, 3);
  t.strictSame(looked.at(-1), ['everything']);
  log.returned(returned(0));
  t.equal(log.judge(cut({ states: ['nothing', 'everything'] }), [])[0]?.states.size, 2);
  t.match(log.count(), { promises: 41, calls: { beyond: 0 } });
});

t.test('sync promises nothing on ext2', async (t) => {
  const [ext2, ext4] = [logOf('ext2'), logOf('ext4')];
  for (const log of [ext2, ext4]) t.ok(log.returned(returned(2, SYNC)));
  t.match(ext2.count(), { promises: 0, calls: { seen: 1, unpromised: 1 } });
  const called = (log: CallLog) =>
    log.judge(cut({ states: ['everything'] }), [run(4096)])[0]?.states.get('everything')?.call;
  t.equal(called(ext2), undefined);
  t.ok(called(ext4));
});

const told = (log: CallLog, kind: string, device: number) =>
  log.told(JSON.stringify({ kind, device }));
const devices = (log: CallLog, cause: CutEvent['cause'] = 'moment') =>
  log.judge(cut({ cause }), []).map(({ device }) => device);

t.test('what is not mounted is in nobody’s care', async (t) => {
  const log = logOf('ext4');
  t.strictSame(devices(log), [0]);
  t.equal(told(log, 'unmounting', 0), undefined);
  t.strictSame(devices(log), []);
  t.equal(told(log, 'mounted', 1), undefined);
  t.equal(told(log, 'mounted', 0), undefined);
  t.strictSame(devices(log), [0, 1]);
  told(log, 'unmounting', 0);
  t.ok(log.returned(returned(0)));
  t.strictSame(devices(log), [0, 1], 'a call on it shows that it is');
});

t.test('a call is about its device, and sync about all', async (t) => {
  const log = logOf('ext4');
  told(log, 'mounted', 1);
  log.returned(returned(1, { ...CALL, device: 1 }));
  t.strictSame(devices(log, 'call'), [1]);
  log.returned(returned(1, SYNC));
  t.strictSame(devices(log, 'call'), [0, 1]);
});

t.test('a file system that owes something else', async (t) => {
  const log = logOf('ext4');
  log.returned(returned(1, { ...CALL, device: 1 }));
  devices(log, 'call');
  log.disown();
  t.match(log.count(), { promises: 0, calls: { seen: 1, unpromised: 1, beyond: 0 } });
  log.returned(returned(1, { ...CALL, kept: false, unchanged: false }));
  devices(log, 'call');
  log.disown();
  t.match(log.count(), { promises: 0, calls: { seen: 2, unpromised: 1, changed: 1 } });
  log.returned(returned(3, { ...CALL, device: 1 }));
  devices(log, 'call');
  log.disown();
  t.match(log.count(), { promises: 0, calls: { seen: 3, unpromised: 2, beyond: 0 } });
});

t.test('marks that cannot be used', async (t) => {
  const log = logOf('ext4');
  t.equal(log.returned(returned(0, { kind: 'mounted', device: 0 })), false);
  t.match(log.told('{"kind":"change"}'), /none of ours/);
  t.equal(log.told('{"kind":"calls","seen":9,"failed":0,"missed":0}'), undefined);
  t.match(log.told('{"kind":"calls","seen":9,"failed":0,"missed":2}'), /missed 2 calls/);
  t.equal(CallLog.begin('', log.guarantees), undefined);
});
