import { E2fsckParser } from './e2fsck.js';
import {
  CERTAIN_NOISE,
  NOISE as E2FSCK_NOISE,
  PASS,
  SETTLED_AT_END,
  VERSION,
} from './e2fsck-grammar.js';
import type { FsckOptions, FsckParser, FsckReport } from './fsck-report.js';
import { foreignWordsOf } from './log-language.js';
import { anyOf } from './shape.js';
import { XfsRepairParser } from './xfs-repair.js';
import { PHASE, NOISE as XFS_REPAIR_NOISE } from './xfs-repair-grammar.js';

/** The programs whose logs are known. To support another one, add an entry here and a parser. */
export interface FsckProgram {
  tool: FsckReport['tool'];
  parser: new (options?: FsckOptions) => FsckParser;
  /** Whether the program's output begins with this line: earlier lines are not its own. */
  isFirst: (line: string) => boolean;
  /** Lines of the program without meaning, even before its first line. */
  isNoise: (line: string) => boolean;
  /** Lines that only this program prints; the match begins where the program's own line begins. */
  signs: RegExp;
  /**
   * The same for lines that begin with a device or a label: the match begins at its last character.
   */
  namedSigns: RegExp;
}

const unanchored = (pattern: RegExp): RegExp => new RegExp(pattern.source.replace(/^\^/, ''));

/** The shell's message for a missing program. */
const NOT_FOUND = String.raw`(?!.{0,80}\bnot found$)`;

export const PROGRAMS: readonly FsckProgram[] = [
  {
    tool: 'e2fsck',
    parser: E2fsckParser,
    isFirst: (line) => VERSION.test(line),
    isNoise: (line) => E2FSCK_NOISE.test(line) || CERTAIN_NOISE.test(line),
    signs: anyOf([
      /\be2fsck \d+\.\d\S{0,20} \(\d{1,2}-[A-Z][a-z]{2}-\d{4}\)$/,
      unanchored(PASS),
      new RegExp(String.raw`\b(?:e2fsck|fsck\.ext[234]): ${NOT_FOUND}\S`),
      /\bUsage: (?:\S{0,99}\/)?(?:e2fsck|fsck\.ext[234]) /,
      / {1,12}\d{1,12} inodes? used \(\d{1,3}\.\d\d%, out of \d{1,12}\)$/,
      /^[A-Z'/].{0,500}\b(?:Fix|Clear|Relocate|Allocate|Salvage|Truncate|Clear inode|Recreate|Connect to \/lost\+found|Clear HTree index|Delete file|Clone multiply-claimed blocks)\? (?:no|yes)$/,
    ]),
    namedSigns: anyOf([
      /\S: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$/,
      /\S: clean, \d+\/\d+ files, \d+\/\d+ blocks/,
      /\S: \*{10} WARNING: Filesystem still has errors \*{10}$/,
      /\S: \*{5} FILE SYSTEM WAS MODIFIED \*{5}$/,
      /\S: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY\.$/,
      /\S: recovering journal$/,
      /\S (?:was not cleanly unmounted|contains a file system with errors|has been mounted \d+ times without being checked|has gone \d+ days without being checked|has filesystem last checked time in the future|primary superblock features different from backup), check forced\.$/,
    ]),
  },
  {
    tool: 'xfs_repair',
    parser: XfsRepairParser,
    isFirst: (line) => /^Phase 1 - /.test(line),
    isNoise: (line) => XFS_REPAIR_NOISE.test(line),
    signs: anyOf([
      unanchored(PHASE),
      /\bxfs_repair version \d/,
      new RegExp(String.raw`\bxfs_repair: ${NOT_FOUND}\S`),
      /\bUsage: xfs_repair /,
      /\bfatal error -- /,
      /\b(?:ALERT|ERROR): The filesystem has valuable metadata changes in a log which/,
      /\bNo modify flag set, skipping (?:phase 5|filesystem flush)/,
      /^ {8}- (?:agno = \d+$|scan filesystem freespace|found root inode chunk|process known inodes|traversing filesystem|zero log\.{3}$)/,
      /\bbad primary superblock - /,
      /\battempting to find secondary superblock\.{3}$/,
    ]),
    namedSigns: /(?!)/,
  },
];

/** Longer lines do not show which program wrote them. */
const LONGEST_SIGN = 1000;

export interface Sign {
  program: FsckProgram;
  /** The column where the program's own line begins. */
  column: number;
}

/** The program that printed it; undefined if any program may have. */
export function signOf(line: string): Sign | undefined {
  if (line.length > LONGEST_SIGN) return undefined;
  const text = line.trimEnd();
  for (const program of PROGRAMS) {
    const sign = program.signs.exec(text);
    if (sign) return { program, column: sign.index };
    const named = program.namedSigns.exec(text);
    if (named) return { program, column: startOfWord(text, named.index) };
  }
  return preenSign(text) ?? foreignSign(text);
}

/** `/dev/sda1: Inode 12 … FIXED.`: repairs while preening. */
function preenSign(text: string): Sign | undefined {
  if (!SETTLED_AT_END.test(text)) return undefined;
  const device = /\S: (?=[A-Z'/]|i_)/.exec(text);
  const [program] = PROGRAMS;
  return device && program ? { program, column: startOfWord(text, device.index) } : undefined;
}

/** Prefixes of journals, build servers and mails. */
const STAMP =
  /^(?:[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8} \S{1,99} \S{1,99}\[\d+\]: |\d{4}-\d\d-\d\dT\S{1,40} (?:\S{1,99} \S{1,99}\[\d+\]: )?|\[[^\]]{1,40}\] |[\d:]{8} |[>|\s]{1,20})/;

function foreignSign(line: string): Sign | undefined {
  const column = STAMP.exec(line)?.[0].length ?? 0;
  const foreign = foreignWordsOf(line.slice(column));
  // An answer may belong to any program.
  if (!foreign || /^\S+$/.test(foreign.words)) return undefined;
  const tool = /^(?:Phase|Faza) /.test(foreign.words) ? 'xfs_repair' : 'e2fsck';
  const program = PROGRAMS.find((one) => one.tool === tool);
  return program && { program, column };
}

function startOfWord(text: string, end: number): number {
  return Math.max(text.lastIndexOf(' ', end), text.lastIndexOf('\t', end)) + 1;
}
