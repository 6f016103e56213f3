import type { Finding, Severity } from './finding.js';
import { FsckCollector, type FsckOptions, type FsckReport } from './fsck-report.js';
import { linesOf } from './lines.js';
import { messageClass, signature } from './signature.js';

/*
 * The output of xfs_repair, both streams together, as `xfs_repair -n` prints it. Formats read from
 * the messages in xfs_repair 6.1's binary and in logs made with damaged images; English only.
 *
 * Of a sound file system it prints phases, their steps (`        - agno = 0`) and last words. Any
 * other line is a finding, so nothing can be taken as clean for not being known.
 */

const LAST_WORDS = [
  /^No modify flag set, skipping filesystem flush and exiting\.$/,
  // Without -n.
  /^done$/,
];

const NOISE: readonly RegExp[] = [
  /^\s*$/,
  /^(?: {8}|\t)- /,
  /^No modify flag set, skipping phase 5$/,
  // Of an image file on a file system that is not xfs.
  /^Cannot get host filesystem geometry\.$/,
  /^Repair may fail if there is a sector size mismatch between$/,
  /^the image and the host filesystem\.$/,
  // The search after a superblock that was found bad; dots are its progress.
  /^\.*$/,
  /^\.*(?:attempting to find secondary superblock|found candidate secondary superblock|verified secondary superblock|unable to verify superblock, continuing)\.\.\.$/,
  /^xfs_repair version [\d.]+$/,
  // -v and -t.
  /^ {8}XFS_REPAIR Summary/,
  /^Phase\s+Start\s+End\s+Duration$/,
  /^Phase \d:\s+(?:\d\d\/\d\d|Skipped)/,
  /^Total run time: /,
  /^zero_log: head block \d+ tail block \d+$/,
];

/** Messages of several lines that do not show it: how many follow the first. */
const FOLLOWING: ReadonlyArray<readonly [RegExp, number]> = [
  [/^ALERT: The filesystem has valuable metadata changes in a log which is being$/, 2],
  [/^ERROR: The filesystem has valuable metadata changes in a log which needs to$/, 5],
  [/^ERROR: The log head and\/or tail cannot be discovered\. Attempt to mount the$/, 2],
  [/^Primary superblock would have been modified\.$/, 2],
  [
    /^(?:Primary superblock bad after phase 1!|Sorry, could not find valid secondary superblock)$/,
    1,
  ],
];

/** How bad a message is; the first that fits, else `corruption`. */
const SEVERITIES: ReadonlyArray<readonly [RegExp, Severity]> = [
  [/^Note - (?:quota info|stripe unit)/, 'notice'],
  [/^Warning: {2}no quota inodes were found/, 'notice'],
  [/^Would (?:reset sb_(?:unit|width)|clear needsrepair)/i, 'repairable'],
  // A log that was not replayed: the rest speaks of a state that no kernel would see.
  [/^ALERT: The filesystem has valuable metadata changes/, 'repairable'],
  [/^(?:sb_(?:icount|ifree|fdblocks|frextents)|agf_\w+|agi_\w+) \d+, counted \d+/, 'repairable'],
  [/^would have reset inode \d+ nlinks from/, 'repairable'],
  [/^disconnected (?:dir )?inode \d+,/, 'repairable'],
  [/^Maximum metadata LSN .* is ahead of log/, 'repairable'],
  [/^Would format log to cycle/, 'repairable'],
  [/quota/i, 'repairable'],
];

/** Names that may hold quotation marks, and paths. */
const NAMES: ReadonlyArray<readonly [RegExp, string]> = [
  [/entry "\.\."(?= )/, 'entry dotdot'],
  [/entry "\."(?= )/, 'entry dot'],
  [/entry ".*"(?= (?:at|in|\(|of|has|references|points))/s, 'entry'],
  [/entry ".*"$/s, 'entry'],
  // Of an IPv4-like form: a block within an allocation group, a range of them.
  [/[[(]\d[\d/,: -]*[\])]/g, ' '],
];

/** A damaged entry is damage of the directory, whichever inode the entry has. */
const DIRECTORY = /\bdir(?:ectory)?(?: inode| ino)? (\d+)/;
const INODE = /\b(?:inode|ino) (\d+)/;

export function parseXfsRepair(text: string, { device }: FsckOptions = {}): FsckReport {
  const found = new FsckCollector();
  const phases = new Set<number>();
  let version: string | undefined;
  let phase: number | undefined;
  let ended = false;
  let skipped: number[] = [];
  let message: string[] = [];
  let following = 0;

  const close = () => {
    const whole = message.join(' ');
    message = [];
    following = 0;
    if (whole === '') return;
    if (found.full) found.omit();
    else found.add(findingOf(whole, phase, device));
  };

  for (const raw of linesOf(text)) {
    const line = raw.trimEnd();
    if (following > 0 && line !== '') {
      message.push(line.trim());
      following -= 1;
      if (following === 0) close();
      continue;
    }
    const start = /^Phase (\d) - /.exec(line);
    if (start) {
      close();
      phase = Number(start[1]);
      // A second run in the same log has to end as well.
      if (phase === 1) ended = false;
      phases.add(phase);
      continue;
    }
    if (LAST_WORDS.some((pattern) => pattern.test(line))) {
      close();
      ended = true;
      continue;
    }
    version ??= /^xfs_repair version ([\d.]+)$/.exec(line)?.[1];
    if (NOISE.some((pattern) => pattern.test(line))) {
      close();
      continue;
    }
    // "	in inode 131 (data fork) bmap btree block 12"
    if (message.length > 0 && /^\t/.test(line)) {
      message.push(line.trim());
      continue;
    }
    close();
    if (/^Inode allocation btrees are too corrupted, skipping phases 6 and 7/.test(line)) {
      skipped = [6, 7];
    }
    message = [line.trim()];
    following = FOLLOWING.find(([pattern]) => pattern.test(line))?.[1] ?? 0;
  }
  close();

  // Phase 5 rebuilds; with -n it is skipped.
  const missing = [1, 2, 3, 4, 6, 7].filter((n) => !phases.has(n) && !skipped.includes(n));
  const incomplete = !ended
    ? "the log ends before xfs_repair's last line"
    : missing.length > 0
      ? `the log lacks phase ${missing.join(', ')}`
      : undefined;
  return found.report('xfs_repair', version, incomplete);
}

/** Characters; a message with a name of 255 bytes has fewer. */
const LONGEST_TEXT = 2000;

function findingOf(whole: string, phase: number | undefined, device: string | undefined): Finding {
  const message = whole.slice(0, LONGEST_TEXT);
  let text = message;
  for (const [pattern, replacement] of NAMES) text = text.replace(pattern, replacement);
  // The name of a file may look like an inode's number: look where it is gone.
  const inode = DIRECTORY.exec(text) ?? INODE.exec(text);
  const number = Number(inode?.[1]);
  const block = /\bblock (\d+)\b/.exec(text);
  const offset = /\boffset (\d+)\b/.exec(text);
  return {
    tool: 'xfs_repair',
    ...(device === undefined ? {} : { device }),
    ...(phase === undefined ? {} : { pass: phase }),
    message,
    signature: signature('xfs_repair', messageClass(text)),
    severity: SEVERITIES.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruption',
    ...(inode && Number.isSafeInteger(number) ? { inode: number } : {}),
    ...(DIRECTORY.test(text) ? { inodeType: 'directory' } : {}),
    ...(block ? { block: Number(block[1]) } : {}),
    ...(offset ? { offset: Number(offset[1]) } : {}),
  };
}
