import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { isMail, readMailbox } from './mailbox.js';

/** The content of a variant's files, one step per patch. */

export type Step = PatchStep | SemanticStep;

export interface PatchStep {
  type: 'patch';
  /** The file that the user named. */
  file: string;
  /** For messages: the mail's subject, else the file's name. */
  name: string;
  /** For messages: `fix.patch`, `mail 3 (“ext2: …”)`. */
  label: string;
  text: Buffer;
  /** Of a mail: `Name <address>`. */
  author?: string | undefined;
}

export interface SemanticStep {
  type: 'semantic';
  file: string;
  name: string;
  content: Buffer;
}

/** The content of one file that a variant names. */
export interface ChangeFile {
  file: string;
  content: Buffer;
}

export async function readChangeFiles(files: readonly string[]): Promise<Outcome<ChangeFile[]>> {
  const read: ChangeFile[] = [];
  for (const file of files) {
    try {
      read.push({ file, content: await readFile(file) });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reasons: Record<string, string> = {
        ENOENT: 'no such file',
        EISDIR: 'it is a directory',
        EACCES: 'permission denied',
      };
      return failure(
        'unreadable',
        `Cannot read the patch: ${reasons[code ?? ''] ?? message}`,
        'Give a patch, a mailbox or a semantic patch (.cocci)',
        { place: { file } },
      );
    }
  }
  return success(read);
}

export function isSemantic(file: string): boolean {
  return file.endsWith('.cocci');
}

export async function stepsOf(
  { file, content }: ChangeFile,
  signal?: AbortSignal,
): Promise<Outcome<Step[]>> {
  const name = basename(file);
  if (isSemantic(file)) return success([{ type: 'semantic', file, name, content }]);
  if (!isMail(content)) {
    return success([{ type: 'patch', file, name, label: name, text: plainLineEnds(content) }]);
  }
  const mails = await readMailbox(content, file, signal);
  if (!mails.ok) return mails;
  return success(
    mails.value.map(({ subject, label, text, author }) => ({
      type: 'patch',
      author,
      file,
      name: subject,
      label: `${name}, ${label}`,
      text: plainLineEnds(text),
    })),
  );
}

/**
 * Undoes the line ends of a patch that came through Windows: every line ends in CRLF, so none is
 * meant to.
 */
function plainLineEnds(text: Buffer): Buffer {
  const lines = text.toString('latin1').split('\n');
  const last = lines.pop();
  if (last !== '' || !lines.every((line) => line.endsWith('\r'))) return text;
  return Buffer.from(lines.map((line) => `${line.slice(0, -1)}\n`).join(''), 'latin1');
}
