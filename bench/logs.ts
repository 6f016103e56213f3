/**
 * `npm run bench:logs`: how fast logs of 100 MB are read, and in how much memory. The first is
 * e2fsck's output for a file system whose bitmaps are gone: one line. The others are floods of one
 * message, some with names, then logs of the kernel. At the end, lines that are hard for patterns: how the
 * time grows when they are twice as long, which is 2 if it is linear.
 *
 *     BENCH_LOG_BYTES=10000000    size of each log
 */
import { FsckReader } from '../cli/findings/fsck.js';
import { KernelLogReader } from '../cli/findings/kernel-log-report.js';
import { hostileLines } from '../test/findings/hostile-lines.js';

const SIZE = Number(process.env['BENCH_LOG_BYTES'] ?? 100_000_000);
const PIECE = 1 << 18;

const PASSES = [
  'e2fsck 1.47.0 (5-Feb-2023)',
  'Pass 1: Checking inodes, blocks, and sizes',
  'Pass 2: Checking directory structure',
  'Pass 3: Checking directory connectivity',
  'Pass 4: Checking reference counts',
  'Pass 5: Checking group summary information',
  '',
].join('\n');
const SUMMARY = '\n/dev/pmem0: 45/4096 files (0.0% non-contiguous), 374/4096 blocks\n';
const QUESTION = '\nFix? no\n\n';

interface Log {
  what: string;
  head: string;
  repeated: (n: number) => string;
  tail: string;
}

const XFS_PHASES = [
  'Phase 1 - find and verify superblock...',
  'Phase 2 - using internal log',
  'Phase 3 - for each AG...',
  'Phase 4 - check for duplicate blocks...',
  'Phase 6 - check inode connectivity...',
  'Phase 7 - verify link counts...',
  '',
].join('\n');

const LOGS: readonly Log[] = [
  {
    what: 'bitmap differences in one line',
    head: `${PASSES}Block bitmap differences: `,
    repeated: (n) => (n % 3 === 0 ? ` +(${n}--${n + 4})` : ` -${n * 7}`),
    tail: `${QUESTION}${SUMMARY}`,
  },
  {
    what: 'bitmap differences in lines of 1 KB',
    head: PASSES,
    repeated: (n) => `Block bitmap differences: ${` -(${n}--${n + 4})`.repeat(50)}${QUESTION}`,
    tail: SUMMARY,
  },
  {
    what: 'counts of groups',
    head: PASSES,
    repeated: (n) => `Free blocks count wrong for group #${n} (${n * 3}, counted=${n}).${QUESTION}`,
    tail: SUMMARY,
  },
  {
    what: 'entries of a directory, each with a name',
    head: PASSES,
    repeated: (n) =>
      `Entry 'file-${n.toString(36)}' in /a/directory (${n % 9}) has deleted/unused inode ${n}.  Clear? no\n\n`,
    tail: SUMMARY,
  },
  {
    what: 'the same, of xfs_repair',
    head: XFS_PHASES,
    repeated: (n) =>
      `entry "file-${n.toString(36)}" in directory inode ${n % 9} references free inode ${n}\n\twould clear inode number in entry at offset ${n}...\n`,
    tail: 'No modify flag set, skipping filesystem flush and exiting.\n',
  },
];

function* pieces({ head, repeated, tail }: Log): Generator<Buffer> {
  let text = head;
  for (let n = 0, size = 0; size < SIZE; n += 1) {
    const more = repeated(n);
    size += more.length;
    text += more;
    if (text.length < PIECE) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text + tail);
}

/** `[ 3.000017] `, as on the kernel's console. */
const stamp = (n: number) =>
  `[${String(n % 10_000).padStart(5)}.${String(n % 1e6).padStart(6, '0')}] `;

const KERNEL_LOGS: readonly Log[] = [
  {
    what: "a kernel's log without findings",
    head: `${stamp(0)}Linux version 6.1.0\n`,
    repeated: (n) => `${stamp(n)}pci 0000:00:0${n % 9}.0: BAR ${n % 6}: assigned [mem ${n}]\n`,
    tail: '',
  },
  {
    what: 'the same in a journal',
    head: 'Nov 30 13:00:00 host kernel: Linux version 6.1.0\n',
    repeated: (n) =>
      `Nov 30 13:00:${String(n % 60).padStart(2, '0')} host kernel: ACPI: IRQ${n % 99} used by override\n`,
    tail: '',
  },
  {
    what: 'errors of ext4',
    head: '',
    repeated: (n) =>
      `${stamp(n)}EXT4-fs error (device pmem0): ext4_lookup:1785: inode #${n}: comm ls: iget: bad\n`,
    tail: '',
  },
];

interface Reader {
  push(piece: Buffer): void;
  end(): { completed: boolean; unparsed?: string[] } | undefined;
}

function measure(log: Log, reader: Reader): void {
  let seconds = 0;
  let size = 0;
  const before = process.memoryUsage.rss();
  let memory = before;
  for (const piece of pieces(log)) {
    // Making the log is not part of the time.
    const started = performance.now();
    reader.push(piece);
    seconds += (performance.now() - started) / 1000;
    size += piece.length;
    memory = Math.max(memory, process.memoryUsage.rss());
  }
  const report = reader.end();
  if (!report?.completed || (report.unparsed ?? []).length > 0) {
    throw new Error(`${log.what}: misread`);
  }
  const rate = (size / 1e6 / seconds).toFixed(0);
  process.stdout.write(`| ${log.what} | ${rate} | ${((memory - before) / 1e6).toFixed(0)} |\n`);
}

process.stdout.write('| log | MB/s | memory for it, MB |\n| --- | ---: | ---: |\n');
for (const log of LOGS) measure(log, new FsckReader());
for (const log of KERNEL_LOGS) measure(log, new KernelLogReader());

/** Milliseconds to read each of these lines so many times. */
function readHostile(length: number, times: number): number {
  const started = performance.now();
  for (const line of hostileLines(length)) {
    const reader = new FsckReader();
    reader.push(Buffer.from(`${PASSES}${`${line}\n`.repeat(times)}`));
    reader.end();
  }
  return performance.now() - started;
}

// Lines longer than 4 KiB are cut, so 2000 and 4000 characters show the growth.
readHostile(2000, 20);
const growth = (readHostile(4000, 200) / readHostile(2000, 200)).toFixed(1);
console.log(`${growth} x the time for hostile lines of twice the length`);
