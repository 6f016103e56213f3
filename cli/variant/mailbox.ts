import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { git, gitMissing } from './git.js';

/** Reads mailed series of patches with the programs that `git am` uses. */

export interface MailedPatch {
  /** Without `[PATCH 2/3]`. */
  subject: string;
  /** For messages: `mail 3 (“ext2: …”)`. */
  label: string;
  text: Buffer;
  /** `Name <address>`. */
  author: string | undefined;
}

/** Whether this is a mailbox or a single mail: `git format-patch` writes both. */
export function isMail(content: Buffer): boolean {
  const head = content.subarray(0, 4096).toString('latin1').trimStart();
  return (
    /^From \S+ /.test(head) || (/^[A-Za-z][A-Za-z0-9-]*: /.test(head) && /^Subject: /im.test(head))
  );
}

/**
 * The patches of a mailbox, in order. Skips mails without a patch if that can be intended (covers
 * and replies), but not if a patch got lost on its way.
 */
export async function readMailbox(
  content: Buffer,
  file: string,
  signal?: AbortSignal,
): Promise<Outcome<MailedPatch[]>> {
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-mails-'));
  try {
    const box = join(scratch, 'mailbox');
    await writeFile(box, content);
    const split = await git(['mailsplit', '-b', `-o${scratch}`, box], scratch, signal);
    if (split.canceled) return interrupted();
    if (split.exitCode === 127) return gitMissing();
    if (!split.ok) return broken(file, 'The mailbox', 'cannot be split into mails', split.all);
    const names = (await readdir(scratch)).filter((name) => /^\d+$/.test(name)).sort();
    const patches: (MailedPatch & { number: Numbering })[] = [];
    for (const [index, name] of names.entries()) {
      const mail = join(scratch, name);
      const patch = await readMail(mail, { file, position: index + 1 }, signal);
      if (!patch.ok) return patch;
      if (patch.value) patches.push(patch.value);
    }
    if (patches.length === 0) {
      return broken(file, 'The mailbox', 'has no patch in any of its mails', '');
    }
    return inOrder(patches, file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readMail(
  mail: string,
  { file, position }: { file: string; position: number },
  signal?: AbortSignal,
): Promise<Outcome<(MailedPatch & { number: Numbering }) | undefined>> {
  const [message, patch] = [`${mail}.message`, `${mail}.patch`];
  // -k keeps the subject as it is: we read its numbers.
  const information = await git(
    ['mailinfo', '-k', '--encoding=UTF-8', message, patch],
    '.',
    signal,
    mail,
  );
  if (information.canceled) return interrupted();
  if (!information.ok) {
    return broken(file, `Mail ${position}`, 'cannot be read', information.all);
  }
  const title = information.stdout.match(/^Subject: (.*)$/m)?.[1]?.trim() ?? '';
  if (title === '')
    return broken(file, `Mail ${position}`, 'has no subject: its header is broken', '');
  const number = numbering(title);
  const subject = title.replace(/^\s*\[[^\]]*\]\s*/, '') || title;
  const label = `mail ${position} (“${title}”)`;
  const text = await readFile(patch);
  const diff = text.toString('latin1').search(/^(diff --git |Index: |--- \S.*\r?\n\+\+\+ )/m);
  if (diff < 0) {
    const isReply = /^(re|aw|fwd?):/i.test(title);
    if (isReply || number.position === 0 || !number.isPatch) return success(undefined);
    return broken(file, capital(label), 'is a patch by its subject, but contains none', '');
  }
  // Lines of a patch begin with a blank, + or -, so this is the next mail without its separator.
  if (/^(Subject|Message-Id): /im.test(text.subarray(diff).toString('latin1'))) {
    return broken(
      file,
      capital(label),
      'runs into the next mail: the `From ` line between them is missing',
      '',
    );
  }
  const head = (name: string) => information.stdout.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
  const author = head('Author') && `${head('Author')} <${head('Email')}>`;
  return success({ subject, label, text, author, number });
}

interface Numbering {
  isPatch: boolean;
  /** `[PATCH v2 3/5]`: 3 of 5, of series `v2`. */
  position?: number;
  of?: number;
  series: string;
}

function numbering(title: string): Numbering {
  const tag = title.match(/^\s*\[([^\]]*)\]/)?.[1] ?? '';
  const numbers = tag.match(/(\d+)\/(\d+)/);
  return {
    isPatch: /patch/i.test(tag),
    series: tag.replace(/\d+\/\d+/, '').trim(),
    ...(numbers ? { position: Number(numbers[1]), of: Number(numbers[2]) } : {}),
  };
}

/**
 * Archives keep mails in the order they arrived. The numbers in the subjects give the right order.
 */
function inOrder(
  patches: readonly (MailedPatch & { number: Numbering })[],
  file: string,
): Outcome<MailedPatch[]> {
  const [first] = patches;
  const oneSeries = patches.every(
    ({ number }) =>
      number.position !== undefined &&
      number.of === first?.number.of &&
      number.series === first?.number.series,
  );
  const positions = patches.map(({ number }) => number.position ?? 0);
  if (!oneSeries || new Set(positions).size !== positions.length) return success([...patches]);
  const sorted = patches.toSorted((a, b) => (a.number.position ?? 0) - (b.number.position ?? 0));
  for (const [index, { number }] of sorted.entries()) {
    const expected = (sorted[0]?.number.position ?? 0) + index;
    if (number.position !== expected) {
      return broken(file, 'The series', `is missing patch ${expected}/${number.of}`, '');
    }
  }
  return success(sorted);
}

function broken(file: string, what: string, how: string, detail: string) {
  return failure('unreadable', `${what} ${how}`, 'Fetch the mailbox again, or repair it', {
    place: { file },
    ...(detail ? { detail } : {}),
  });
}

function interrupted() {
  return failure('interrupted', 'Interrupted while reading patches', 'Start it again');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
