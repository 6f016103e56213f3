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
export const LONGEST_TEXT = 2000;

/** What a line is by itself; what it means depends on what came before. */
export interface LineKind {
  isStructure: boolean;
  /** It goes on with the message before it, where there is one. */
  goesOn: boolean;
  /** How many lines belong to the message that it begins, whatever they are. */
  followers: number;
  /** How the last of them ends, where their number varies. */
  lastFollower: RegExp | undefined;
  opensName: boolean;
  /** It is another program's. */
  isOthers: boolean;
  /** It ends where no message does: a mailer has wrapped it. */
  isUnfinished: boolean;
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
    isUnfinished: line.length >= 50 && UNFINISHED.test(line),
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
  /(?:\b(?:a|an|the|in|of|to|for|is|has|have|was|be|by|at|on|with|and|or|not|but|should|would|will|could|inode|ino|block|blocks|ag|directory|entry|offset|references|points|claims|free|used|bad|invalid|non-existent|number|value|reset|from|fork|data|attr|magic|level|btree|record)|[,(=]|#)$/;

export interface MessageClass {
  signature: string;
  severity: Severity;
  fix: Finding['fix'];
  isAboutFileSystem: boolean;
  /** It is in the table of severities: no other language has it. */
  isCertain: boolean;
}

export function classify([first = '', ...rest]: readonly string[]): MessageClass {
  // What would be done about it is no part of what is wrong.
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
