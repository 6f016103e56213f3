import { parseE2fsck } from './e2fsck.js';
import type { FsckOptions, FsckReport } from './fsck-report.js';
import { parseXfsRepair } from './xfs-repair.js';

/**
 * The programs whose logs are known, with the lines by which a log of theirs is recognised.
 * Another program is a line here and a parser beside the two.
 */
const PROGRAMS: ReadonlyArray<{
  tool: FsckReport['tool'];
  line: RegExp;
  parse: (text: string, options?: FsckOptions) => FsckReport;
}> = [
  {
    tool: 'e2fsck',
    line: /^e2fsck \d+\.\d\S* \(\d|^Pass 1: Checking inodes, blocks, and sizes|^(?:e2fsck|fsck\.ext[234]): |: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$|: clean, \d+\/\d+ files, \d+\/\d+ blocks/m,
    parse: parseE2fsck,
  },
  {
    tool: 'xfs_repair',
    line: /^Phase 1 - find and verify superblock|^xfs_repair version |^(?:xfs_repair: |fatal error -- )/m,
    parse: parseXfsRepair,
  },
];

/**
 * Reads a log of whichever program wrote it; undefined where it is none that we know.
 *
 * A `.full` file of xfstests is taken as well: of it only what the check printed, between
 * `*** fsck.ext4 output ***` and `*** end fsck.ext4 output`.
 */
export function parseFsck(text: string, options: FsckOptions = {}): FsckReport | undefined {
  const log = section(text) ?? text;
  let first: { at: number; parse: (typeof PROGRAMS)[number]['parse'] } | undefined;
  for (const { line, parse } of PROGRAMS) {
    const at = log.search(line);
    if (at >= 0 && (!first || at < first.at)) first = { at, parse };
  }
  return first?.parse(log, options);
}

/** xfstests' common/rc and common/xfs write these around the output of a check that failed. */
function section(text: string): string | undefined {
  const parts: string[] = [];
  const start = /^\*\*\* ((?:fsck\.\w+|xfs_repair -n|e2fsck)) output \*\*\*\r?$/gm;
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const end = text.indexOf(`*** end ${match[1]} output`, start.lastIndex);
    parts.push(text.slice(start.lastIndex, end < 0 ? undefined : end));
    if (end < 0) break;
    start.lastIndex = end;
  }
  return parts.length > 0 ? parts.join('\n') : undefined;
}
