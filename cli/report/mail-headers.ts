import { readOptionFile } from '../option-file.js';
import { failure, type Outcome, success } from '../outcome.js';

/**
 * The headers of a reply, so that `git send-email` and `mutt -H` accept the report as a mail. Sending is left
 * to the user: From, Date and Message-ID come from the program that sends.
 */

/** The mail that the report answers. */
export interface ReplyTo {
  /** With its angle brackets. */
  messageId: string;
  /** Message ids of the thread before it, oldest first. */
  references: string[];
  /** Header values as they were; absent if only the message id is known. */
  subject?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  cc?: string | undefined;
}

export interface ReplyOptions {
  inReplyTo?: string;
  replyTo?: string;
}

/** For commands that write a mail only with `--mail`. */
export function replyOfMail(
  mail: boolean | undefined,
  options: ReplyOptions,
): Outcome<ReplyTo | undefined> {
  const option = options.replyTo === undefined ? '--in-reply-to' : '--reply-to';
  const asked = options.replyTo !== undefined || options.inReplyTo !== undefined;
  if (!asked || mail) return replyOf(options);
  return failure('usage', `${option} without --mail: nothing becomes a mail`, 'Add --mail');
}

/** @returns undefined if no reply was asked for */
export function replyOf({ inReplyTo, replyTo }: ReplyOptions): Outcome<ReplyTo | undefined> {
  if (inReplyTo !== undefined && replyTo !== undefined) {
    return failure(
      'usage',
      '--in-reply-to and --reply-to were both given',
      'Give --reply-to FILE if you have the mail, otherwise --in-reply-to MSGID',
    );
  }
  if (replyTo !== undefined) return readMail(replyTo);
  if (inReplyTo === undefined) return success(undefined);
  const messageId = `<${inReplyTo.replace(/^<|>$/g, '')}>`;
  if (idsIn(messageId)[0] === messageId) return success({ messageId, references: [] });
  return failure(
    'usage',
    `--in-reply-to ${inReplyTo} is not a message id`,
    'Give the Message-ID of the mail, such as 20260101.abc@example.org',
  );
}

/** The first mail of an mbox, or a saved mail. */
function readMail(file: string): Outcome<ReplyTo> {
  const text = readOptionFile('--reply-to', file, 'Give a saved mail or an mbox');
  if (!text.ok) return text;
  const headers = headersOf(text.value);
  const [messageId] = idsIn(headers.get('message-id') ?? '');
  if (messageId === undefined) {
    return failure(
      'usage',
      `--reply-to ${file} has no header Message-ID`,
      'Give a saved mail or an mbox with its headers',
      { place: { file } },
    );
  }
  const [references, parent] = ['references', 'in-reply-to'].map((name) =>
    idsIn(headers.get(name) ?? ''),
  ) as [string[], string[]];
  return success({
    messageId,
    references: references.length > 0 ? references : parent.slice(0, 1),
    subject: headers.get('subject'),
    from: headers.get('reply-to') ?? headers.get('from'),
    to: headers.get('to'),
    cc: headers.get('cc'),
  });
}

/** Unfolded, by lower-case name; the first of each name counts. */
function headersOf(text: string): Map<string, string> {
  const [head = ''] = text
    .replaceAll('\r\n', '\n')
    .replace(/^From .*\n/, '')
    .split('\n\n', 1);
  const headers = new Map<string, string>();
  for (const line of head.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !headers.has(key)) headers.set(key, oneLine(value ?? ''));
  }
  return headers;
}

/** A header's value must not begin another header. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

function idsIn(text: string): string[] {
  return text.match(/<[!-;=?A-~]+@[!-;=?A-~]+>/g) ?? [];
}

/**
 * The report as a mail with headers.
 *
 * @param title for a reply to a mail of which only the id is known
 */
export function withHeaders(body: string, title: string, reply: ReplyTo): string {
  const { messageId, references, subject = title, from, to, cc } = reply;
  const others = [to, cc].filter((list) => list).join(', ');
  const recipients = from ?? '';
  return [
    header('Subject', `Re: ${encodeWord(oneLine(subject).replace(/^(?:re:\s*)+/i, ''))}`),
    ...(recipients === '' ? [] : [header('To', recipients)]),
    ...(others === '' ? [] : [header('Cc', others)]),
    header('In-Reply-To', messageId),
    header('References', [...references, messageId].join(' ')),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    body,
  ].join('\n');
}

/** RFC 2047 for a subject that is not ASCII; 45 bytes make an encoded word of less than 75 characters. */
function encodeWord(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  const words: string[] = [];
  let piece = '';
  for (const letter of text) {
    if (Buffer.byteLength(piece + letter) > 45) {
      words.push(piece);
      piece = '';
    }
    piece += letter;
  }
  return [...words, piece]
    .map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`)
    .join(' ');
}

/** Folded at blanks, since lines of a mail have at most 998 bytes. */
function header(name: string, value: string): string {
  const lines: string[] = [];
  let line = `${name}:`;
  for (const word of value.split(' ').filter((one) => one !== '')) {
    if (line.length + word.length >= 76 && line !== `${name}:`) {
      lines.push(line);
      line = '';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/**
 * Keeps lines of a body from meaning more than text: a quoted `From `, the separators of signatures and
 * patches, tags, and commands of regzbot. They may come from a subject or from a guest.
 */
export function plainBody(body: string): string {
  const meaning =
    /^(?:From |-{2,}\s*$|#|>|[A-Za-z]+(?:-[A-Za-z]+)*-by:|(?:Fixes|Closes|Link|Cc):)/i;
  return body
    .split('\n')
    .map((line) => (meaning.test(line) ? ` ${line}` : line))
    .join('\n');
}
