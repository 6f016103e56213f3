import t from 'tap';
import { compareSignatures, type Explanation, limitTrace } from '../../cli/evidence/explanation.js';
import type { Unwritten } from '../../cli/evidence/unwritten.js';
import type { Finding } from '../../cli/findings/finding.js';
import { readWriteBack, type TracedInode } from '../../cli/record/write-back.js';
import { describeExplanation } from '../../cli/report/explanation.js';

const EVENT = { devices: 'pmem0=259:1 pmem1=259:0', problem: '', without: '', lost: 0 };

/** Real output of 6.12 and 5.10, except for the DAX event. */
const REAL = `
           mount-142     [000] d..1.    21.799799: writeback_dirty_folio: bdi 259:0: ino=271581184 index=0
            perl-139     [000] d..1.    21.890000: writeback_dirty_folio: bdi 259:1: ino=2 index=0
            perl-139     [000] .....    21.890100: writeback_mark_inode_dirty: bdi 259:1: ino=2 state= flags=I_DIRTY_PAGES
           mount-94      [000] d...    21.895516: writeback_dirty_page: bdi 259:1: ino=2 index=1
    kworker/u2:0-7       [000] ....    22.165568: writeback_single_inode_start: bdi 259:1: ino=2 state=I_DIRTY_SYNC|I_DIRTY_DATASYNC|I_DIRTY_PAGES|I_SYNC|0x20000 dirtied_when=4294897179 age=1 index=0 to_write=9223372036854775807 wrote=0 cgroup_ino=1
    kworker/u2:0-7       [000] ....    22.166604: writepages: (do_writepages+0x0/0xc0) device=271581185 inode=2
            perl-139     [000] .....    22.170000: writepages_done: (filemap_fdatawrite_wbc+0x63/0x90 <- do_writepages) result=-28
    kworker/u2:0-7       [000] d...    22.171504: writepages_done: (__writeback_single_inode+0x39/0x2a0 <- do_writepages) result=0
    kworker/u2:0-7       [000] ....    22.173219: writeback_single_inode: bdi 259:1: ino=2 state=I_DIRTY_PAGES|I_SYNC|0x20000 dirtied_when=4294897179 age=1 index=0 to_write=9223372036854775807 wrote=3 cgroup_ino=1
            sync-88      [001] .....    22.500000: dax_writeback_range: dev 259:1 ino 0xc pgoff 0x0-0x7ffffffffffff
            perl-139     [000] .....    23.000000: writepages: (do_writepages+0x4/0x280) device=271581185 inode=2
            perl-139     [000] .....    23.000100: writepages_done: (filemap_fdatawrite_wbc+0x63/0x90 <- do_writepages) result=-28
`;

const one = (text: string, inode: number, of = EVENT): TracedInode => {
  const trace = readWriteBack(text, of);
  const found = trace.known && trace.inodes.find((each) => each.inode === inode);
  if (!found) throw new Error(`nothing of inode ${inode}`);
  return found;
};

const CACHED = { pages: 1, dirtyPages: 1, daxEntries: 0, dirtyDaxEntries: 0, atLeast: false };
const ROOT = {
  ...{ device: 'pmem0', inode: 2, inodeType: 'directory', path: '/', dax: true, size: 4096 },
  ...{ before: CACHED, synced: CACHED, dropped: CACHED },
};
const LOST: Extract<Unwritten, { known: true }> = {
  ...{ known: true, unmounts: 1, omitted: 0, writtenDax: [] },
  inodes: [{ ...ROOT, inode: 4999 }],
};

const by = (program: string, seconds: number) => ({ seconds, program });

t.test('lists who dirtied what, and what write-back did', (t) => {
  t.strictSame(one(REAL, 2), {
    device: 'pmem0',
    inode: 2,
    pagesDirtied: { times: 2, first: by('perl', 21.89), last: by('mount', 21.895516) },
    marked: { times: 1, first: by('perl', 21.8901), last: by('perl', 21.8901) },
    writeBacks: {
      times: 1,
      first: by('kworker/u2:0', 22.165568),
      last: by('kworker/u2:0', 22.165568),
    },
    pagesWritten: 3,
    // A return without a call belongs to another inode.
    writepages: {
      times: 2,
      results: [0, -28],
      first: by('kworker/u2:0', 22.166604),
      last: by('perl', 23),
    },
    daxWriteBacks: { times: 0 },
  });
  t.match(one(REAL, 12), { device: 'pmem0', daxWriteBacks: { times: 1, last: by('sync', 22.5) } });
  t.match(one(REAL, 271581184), { device: 'pmem1' }, 'a device itself');
  t.end();
});

t.test('reports as unknown what a kernel cannot trace, not as zero', (t) => {
  const without = 'do_writepages fs_dax/dax_writeback_range';
  const { writepages, daxWriteBacks } = one(REAL, 2, { ...EVENT, without });
  t.strictSame([writepages, daxWriteBacks], [undefined, undefined]);
  t.strictSame(readWriteBack(REAL, { ...EVENT, problem: 'no tracefs' }), {
    known: false,
    reason: 'no tracefs',
  });
  t.end();
});

t.test('survives anything that a guest writes', (t) => {
  const nonsense = [
    '',
    'writeback_dirty_folio: bdi 259:1: ino=2 index=0',
    ' perl-1 [000] ..... 1.0: writeback_dirty_folio: bdi 259:1: ino=99999999999999999999 index=0',
    ' perl-1 [000] ..... 1.0: writeback_dirty_folio: bdi 9:9: ino=2 index=0',
    ' perl-1 [000] ..... 1.0: writepages: (x) device=-1 inode=2',
    ' perl-1 [000] ..... 1.0: writepages_done: (x) result=0',
    ` ${'-1 [000] '.repeat(9000)}`,
    '\0'.repeat(9000),
  ].join('\n');
  t.match(readWriteBack(nonsense, EVENT), { known: true, inodes: { length: 0 } });
  const many = Array.from(
    { length: 6000 },
    (_, n) => ` a b-c-1 [000] ..... 1.0: writeback_dirty_folio: bdi 259:1: ino=${n} index=0\n`,
  ).join('');
  const trace = readWriteBack(many, EVENT);
  t.equal(trace.known && trace.inodes.length, 5000);
  t.equal(one(many, 7).pagesDirtied.last?.program, 'a b-c');
  const limited = limitTrace(trace, LOST);
  t.match(limited, { omitted: 4800, inodes: { 0: { inode: 4999 }, 1: { inode: 0 } } });
  t.equal(limited.known && limited.inodes.length, 200);
  t.end();
});

const finding = (signature: string, severity: Finding['severity'] = 'corruption'): Finding => ({
  ...{ tool: 'e2fsck', message: 'm' },
  signature,
  severity,
});

const explanation = (
  more: Partial<Extract<Explanation, { ran: true }>> = {},
): Extract<Explanation, { ran: true }> => ({
  ...{ ran: true, verdict: 'fail', reason: 'r', durationSeconds: 1, artifacts: {} },
  signatures: { again: ['a'], gone: [], added: [] },
  unwritten: { ...LOST, inodes: [ROOT] },
  trace: readWriteBack(REAL, EVENT),
  ...more,
});

t.test('prints a line for each unwritten inode', (t) => {
  const artifacts = { 'write-back': '001/explain/write-back.txt' };
  t.strictSame(describeExplanation(explanation({ artifacts })), [
    'second run, with write-back tracing: the test failed again, with the same kind of finding',
    'inode 2 (directory /): 1 page still dirty; pages dirtied 2 times, last by mount at 21.90 s; write-back called once, by kworker/u2:0 at 22.17 s, and wrote 3 pages; ->writepages called 2 times, last by perl at 23.00 s, and returned 0 and -ENOSPC',
    'trace: 001/explain/write-back.txt',
  ]);
  const entries = { ...CACHED, dirtyPages: 0, dirtyDaxEntries: 2 };
  const regular = { ...ROOT, inode: 12, inodeType: 'regular file', path: '/f', dropped: entries };
  const unknown = { ...ROOT, inode: 99, path: '/\x1b[2J' };
  const others = describeExplanation(
    explanation({
      unwritten: { ...LOST, inodes: [regular, unknown] },
      trace: readWriteBack(REAL, { ...EVENT, without: 'do_writepages', lost: 7 }),
    }),
  );
  t.strictSame(others.slice(1), [
    'inode 12 (regular file /f): 2 DAX entries still dirty; the trace does not show what dirtied it; write-back was never called; DAX write-back ran once, by sync at 22.50 s',
    'inode 99 (directory /\\x1b[2J): 1 page still dirty; not in the trace',
    'this kernel cannot trace do_writepages',
    'the trace is incomplete: 7 events did not fit',
  ]);
  t.end();
});

t.test('shares a line among inodes with the same history', (t) => {
  // ext4's symbolic links on 5.10, whose pages the journal dirties.
  const link = (inode: number, at: number) => `
              ln-113     [000] ....    ${at}.447321: writeback_mark_inode_dirty: bdi 259:1: ino=${inode} state= flags=I_DIRTY_SYNC
    jbd2/pmem0-8-98      [000] d...    ${at}.698061: writeback_dirty_page: bdi 259:1: ino=${inode} index=0
    jbd2/pmem0-8-98      [000] ....    ${at}.698067: writeback_mark_inode_dirty: bdi 259:1: ino=${inode} state= flags=I_DIRTY_PAGES
`;
  const numbers = [18, 19, 20, 21, 22, 23, 24, 25];
  const links = numbers.map((inode) => ({
    ...ROOT,
    inode,
    inodeType: 'symlink',
    path: `/${inode}`,
  }));
  const told = (lost: number) =>
    describeExplanation(
      explanation({
        unwritten: { ...LOST, inodes: [ROOT, ...links] },
        trace: readWriteBack(numbers.map((n) => link(n, 30 + n)).join(''), { ...EVENT, lost }),
      }),
    );
  t.strictSame(told(0).slice(1), [
    'inode 2 (directory /): 1 page still dirty; not in the trace',
    'inode 18 (symbolic link /18) and 7 more like it (19, 20, 21, 22, 23, …): 1 page still dirty; pages dirtied once, by jbd2/pmem0-8 at 48.70 s, the inode first marked dirty by ln at 48.45 s; write-back was never called; ->writepages was never called',
  ]);
  t.match(told(1)[2], /still dirty; pages dirtied at least once/);
  t.match(told(1).at(-1), /^the trace is incomplete: 1 event did not fit$/);
  t.end();
});

t.test('compares the second run with the first', (t) => {
  const first = [finding('b'), finding('a'), finding('a'), finding('n', 'notice')];
  const told = (verdict: Explanation & { ran: true }, second: Finding[], before = first) =>
    describeExplanation({ ...verdict, signatures: compareSignatures(before, second) })[0];
  const failed = explanation();
  t.match(told(failed, first), /the test failed again, with the same 2 kinds of findings$/);
  t.match(
    told(failed, [finding('a'), finding('c')]),
    /failed again, but differently: 1 of 2 kinds of findings showed again; 1 new: c; missing: b$/,
  );
  t.match(told(failed, [], []), /failed again, again without findings$/);
  t.match(
    told(explanation({ verdict: 'pass' }), []),
    /the test passed this time, with none of the 2 kinds of findings$/,
  );
  t.match(
    told(explanation({ verdict: 'error', reason: 'no room' }), []),
    /no verdict this time: error, no room$/,
  );
  t.strictSame(describeExplanation({ ran: false, reason: 'a\x07' }), ['not run again: a\\x07']);
  t.strictSame(describeExplanation(undefined), []);
  t.match(
    describeExplanation(explanation({ trace: { known: false, reason: 'no tracefs' } }))[1],
    /^write-back could not be traced: no tracefs$/,
  );
  t.end();
});
