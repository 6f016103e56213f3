import { readMessage } from './e2fsck-entities.js';
import {
  ABORTED,
  ABOUT_THE_FILE_SYSTEM,
  ANY_QUESTION,
  CERTAIN_NOISE,
  CONTINUATION,
  CUT,
  FOLLOW_UP,
  NAMES_DEVICE,
  NOISE,
  NOT_CHECKED,
  PASS,
  PREEN_ADVICE,
  PREEN_PREFIX,
  PREEN_STOPPED,
  QUESTION_ALONE,
  QUESTION_AT_END,
  RESTARTED,
  SEVERITIES,
  SIGNAL,
  STACK,
  STILL_HAS_ERRORS,
  SUMMARY,
  VERSION,
  WAS_MODIFIED,
} from './e2fsck-grammar.js';
import type { Finding } from './finding.js';
import { type ForeignWords, foreignWordsOf } from './log-language.js';
import { isOthers, PROMPT } from './other-lines.js';
import { anyOf } from './shape.js';
import { signature } from './signature.js';

/** In characters; the patterns for names search a message from each quotation mark to its end. */
const LONGEST_TEXT = 2000;

/** What a line is by itself; its meaning depends on what came before. */
export interface LineKind {
  isStructure: boolean;
  isQuestion: boolean;
  /** It continues the message before it, if there is one. */
  goesOn: boolean;
  isNoise: boolean;
  /** It ends with a question, so the message is over. */
  asks: boolean;
  /** It belongs to another program. */
  isOthers: boolean;
  /** It is the beginning of a line that a mailer wrapped. */
  isCut: boolean;
  /** It begins with a device or a label, as preening prints it. */
  hasPrefix: boolean;
  /** It ends where no message ends. */
  isUnfinished: boolean;
  /** It begins as no message begins. */
  isRest: boolean;
  foreign: ForeignWords | undefined;
}

const OTHER_PROGRAM = anyOf([
  PROMPT,
  /^Phase 1 - find and verify superblock\.{3}$/,
  /^xfs_repair version \d/,
]);

export function kindOf(line: string): LineKind {
  const text = withoutPrefix(line);
  const isStructure = STRUCTURE.test(line);
  return {
    isStructure,
    isQuestion: text === '' || QUESTION_ALONE.test(text) || FOLLOW_UP.test(text),
    goesOn: text === line && CONTINUATION.test(line) && !NAMES_DEVICE.test(line),
    isNoise: NOISE.test(text) || CERTAIN_NOISE.test(line),
    asks: ANY_QUESTION.test(text) || QUESTION_AT_END.test(text),
    isOthers: !isStructure && (isOthers(line) || OTHER_PROGRAM.test(line)),
    isCut: CUT.test(line),
    hasPrefix: text !== line,
    isUnfinished: UNFINISHED.test(line),
    isRest: !isStructure && /^[^A-Z'/\s[]/.test(line) && !NAMES_DEVICE.test(line),
    foreign: isStructure ? undefined : foreignWordsOf(line),
  };
}

/** Last words of a line within a sentence. */
const UNFINISHED =
  /(?:\b(?:a|an|the|in|of|to|for|is|are|has|have|was|be|by|at|on|with|and|or|not|but|should|could|would|set|inode|block|blocks|group|directory|entry|filesystem|extended|attribute|invalid|bad|illegal|physical|logical|len|mod|time|points|from|that|which|multiply-claimed|shared|deleted\/unused|incorrect)|[,(=]|#)$/;

const STRUCTURE = anyOf([
  VERSION,
  PASS,
  SUMMARY,
  ABORTED,
  PREEN_STOPPED,
  PREEN_ADVICE,
  SIGNAL,
  STACK,
  RESTARTED,
  NOT_CHECKED,
  STILL_HAS_ERRORS,
  WAS_MODIFIED,
]);

/** Whether the rejoined line is one that shows how far e2fsck came, or noise. */
export function isWhole(line: string): boolean {
  return STRUCTURE.test(line) || NOISE.test(withoutPrefix(line)) || CERTAIN_NOISE.test(line);
}

export function withoutPrefix(line: string): string {
  return line.includes(':') ? line.replace(PREEN_PREFIX, '') : line;
}

export interface MessageClass {
  signature: string;
  severity: Finding['severity'];
  fix: Finding['fix'];
  isAboutFileSystem: boolean;
  /**
   * It has one of e2fsck's questions, or is in the table of severities: no other language has it.
   */
  isCertain: boolean;
}

export function classify(lines: readonly string[]): MessageClass {
  const text = lines.join('\n');
  const message = textOf(lines);
  const fix = fixOf(text);
  const severity = SEVERITIES.find(([pattern]) => pattern.test(message))?.[1];
  return {
    signature: signature('e2fsck', readMessage(message).class),
    severity: severity ?? 'corruption',
    fix,
    isAboutFileSystem:
      fix !== undefined || severity !== undefined || ABOUT_THE_FILE_SYSTEM.test(text),
    isCertain: severity !== undefined || QUESTION_AT_END.test(text) || QUESTION_ALONE.test(text),
  };
}

export function fixOf(text: string): Finding['fix'] {
  const groups = (QUESTION_AT_END.exec(text) ?? ANY_QUESTION.exec(text))?.groups;
  if (!groups) return QUESTION_ALONE.test(text) ? fixOf(`.\n${text}`) : undefined;
  const { answer, settled } = groups;
  if (settled !== undefined) return settled === 'IGNORED' ? 'refused' : 'made';
  if (answer?.startsWith('yes')) return 'made';
  return answer === '' || answer === undefined ? 'offered' : 'refused';
}

/** The message as one line, without its question. */
export function textOf(lines: readonly string[]): string {
  const text = lines.join('\n');
  const stated = text
    .replace(QUESTION_AT_END, '')
    .replace(ANY_QUESTION, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return (stated === '' ? text : stated).slice(0, LONGEST_TEXT);
}
