import type { Finding, Severity } from './finding.js';
import { type ForeignWords, foreignWordsOf } from './log-language.js';
import { isOthers, PROMPT } from './other-lines.js';
import { anyOf } from './shape.js';
import { messageClass, signature } from './signature.js';
import { readMessage } from './xfs-repair-entities.js';
import {
  ABOUT_THE_FILE_SYSTEM,
  ACTION,
  CONTINUATION,
  FOLLOWING,
  GAVE_UP,
  LAST_WORDS,
  MADE,
  MOST_FOLLOWING,
  NOISE,
  OPEN_NAME,
  PHASE,
  REFUSED,
  SEVERITIES,
  SKIPS_PHASES_6_AND_7,
} from './xfs-repair-grammar.js';

/** Characters; a message with a name of 255 bytes has fewer. */
const LONGEST_TEXT = 2000;

/** What a line is by itself; its meaning depends on what came before. */
export interface LineKind {
  isStructure: boolean;
  /** It continues the message before it, if there is one. */
  goesOn: boolean;
  /** How many lines belong to the message that it begins, whatever they are. */
  followers: number;
  /** How the last of them ends, if their number varies. */
  lastFollower: RegExp | undefined;
  opensName: boolean;
  /** It belongs to another program. */
  isOthers: boolean;
  /** It ends where no message ends. */
  isUnfinished: boolean;
  /** It begins as no message begins. */
  isRest: boolean;
  foreign: ForeignWords | undefined;
}

export function kindOf(line: string): LineKind {
  const following = FOLLOWING.find(([pattern]) => pattern.test(line))?.[1] ?? 0;
  const isStructure = STRUCTURE.test(line);
  return {
    isStructure,
    goesOn: CONTINUATION.test(line) || ACTION.test(line),
    followers: typeof following === 'number' ? following : MOST_FOLLOWING,
    lastFollower: typeof following === 'number' ? undefined : following,
    opensName: OPEN_NAME.test(line),
    isOthers: !isStructure && (isOthers(line) || OTHER_PROGRAM.test(line)),
    isUnfinished: UNFINISHED.test(line),
    isRest: !isStructure && (ONE_WORD.test(line) || !FIRST_WORD.test(line)),
    foreign: isStructure ? undefined : foreignWordsOf(line),
  };
}

const STRUCTURE = anyOf([PHASE, LAST_WORDS, NOISE, GAVE_UP, SKIPS_PHASES_6_AND_7]);

const OTHER_PROGRAM = anyOf([
  PROMPT,
  /^e2fsck \d+\.\d\S* \(\d/,
  /^Pass 1: Checking inodes, blocks, and sizes$/,
]);

/** The last word of a line within a sentence. */
const UNFINISHED =
  /(?:\b(?:a|an|the|in|of|to|for|is|has|have|was|be|by|at|on|with|and|or|not|but|if|should|would|will|could|does|doesn't|from|support|claims|points|references|reset|actual|expected|parent|specify|large)|[,(=]|#|!=)$/;

/** The first words of messages that begin in lower case; other words continue a sentence. */
const FIRST_WORD =
  /^(?:[A-Z\d\s"'.%(]|add\w*|ag[fi]?[\w-]*|alloc\w*|attempt\w*|attribute|avl_|bad\b|badly|block|bmap|bogus|btree|byte|cache|can't|cannot|check|clear\w*|commit\w*|comput\w*|conven\w*|correct\w*|corrupt\w*|could|couldn't|creat\w*|data|decrement\w*|defer\w*|delet\w*|destroy\w*|dir\w*|disabl\w*|disconnected|discrepancy|done|doubl\w*|dubious|duplicate|empty|entry|eras\w*|error|expected|extent|failed|fatal|fblk|file\b|filesystem|finobt|fix\w*|fl\w+|found|free\w*|generat\w*|group|hole|ignor\w*|illegal|imap|inconsistent superblock|increment\w*|init\w*|ino\w*|invalid|ir_|join\w*|junk\w*|key|leaf|leftover|libxfs|load\w*|local|log|malloc|max\w*|metadata|mismatch\w*|missing|mov\w*|multipl\w*|name|nblocks|no\b|non-\w+|option|orphan\w*|out-of-order|parent pointer|prefetch|primary|print_|problem|process\w*|project|quota|ran|read\w*|realloc|realtime|rebuild\w*|record|recreat\w*|refcount|reflink|reinit\w*|release|remot\w*|remov\w*|repair\w*|reset\w*|rewrit\w*|rmap|root|rt\w+|sb\b|sb_\w+|scan\w*|seek\w*|set\w*|shrink|size|space|sparse|start|stor\w*|stripe|superblock|symlink|the |there|too|travers\w*|truncat\w*|unable|uncertain|undiscovered|unexpected|unknown|unwritten|updat\w*|upgrad\w*|used|user|verif\w*|version|warning|will|wip\w*|would|writ\w*|wrong|xfs_|xlog|zero\w*|zone\w*)/;

/** A number or a name alone is the rest of a line. */
const ONE_WORD = /^[\w/.,:()-]{1,40}$/;

export interface MessageClass {
  signature: string;
  severity: Severity;
  fix: Finding['fix'];
  isAboutFileSystem: boolean;
  /** It is in the table of severities: no other language has it. */
  isCertain: boolean;
}

export function classify([first = '', ...rest]: readonly string[]): MessageClass {
  // What would be done about the problem is not part of it.
  const stated = [first, ...rest.filter((line) => !ACTION.test(line))].join(' ');
  const message = stated.slice(0, LONGEST_TEXT);
  const { bare } = readMessage(message);
  const severity = SEVERITIES.find(([pattern]) => pattern.test(message))?.[1];
  return {
    signature: signature('xfs_repair', messageClass(bare)),
    severity: severity ?? 'corruption',
    fix: fixOf(`${bare} ${rest.join(' ')}`),
    isAboutFileSystem:
      severity !== undefined || ABOUT_THE_FILE_SYSTEM.test(bare) || ACTION.test(message),
    isCertain: severity !== undefined,
  };
}

function fixOf(bare: string): Finding['fix'] {
  if (REFUSED.test(bare)) return 'refused';
  return MADE.test(bare) ? 'made' : undefined;
}

/** The message as one line. */
export function textOf(lines: readonly string[]): string {
  return lines.join(' ').slice(0, LONGEST_TEXT);
}
