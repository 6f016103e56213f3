import type { Unwritten, UnwrittenInode } from '../evidence/unwritten.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import { plural } from '../words.js';

/** Why something was not written, in sentences without the full stop. */

/** Inodes that a sentence names. */
const MOST_NAMED = 6;
/** Characters of a path that are shown. */
const LONGEST_PATH = 60;

/**
 * Which inodes were unmounted with something dirty, a sentence for each type of inode and for each
 * kind of data. Escaped: paths come from a guest.
 */
export function explainUnwritten(unwritten: Unwritten | undefined): string[] {
  if (unwritten === undefined) return [];
  if (!unwritten.known)
    return [
      `whether anything was left unwritten is not known: ${escapeForTerminal(unwritten.reason)}`,
    ];
  const sentences = [
    ...sentencesOf(unwritten, 'page', ({ dirtyPages }) => dirtyPages),
    ...sentencesOf(unwritten, 'DAX entry', ({ dirtyDaxEntries }) => dirtyDaxEntries),
    ...unwritten.writtenDax.map(
      ({ inodeType, inodes }) =>
        `${typeInWords(inodeType)} inodes have S_DAX set and pages in the page cache, which were written (${plural(inodes, 'inode')})`,
    ),
  ];
  if (unwritten.omitted > 0) {
    sentences.push(
      `${plural(unwritten.omitted, 'more inode')} had dirty data and no room in the list`,
    );
  }
  if (unwritten.inodes.length > 0) return sentences;
  return [
    ...sentences,
    `nothing dirty was left unwritten, at ${plural(unwritten.unmounts, 'unmount')}`,
  ];
}

type Counted = (cached: UnwrittenInode['dropped']) => number;

function sentencesOf(
  { inodes }: Extract<Unwritten, { known: true }>,
  what: 'page' | 'DAX entry',
  count: Counted,
): string[] {
  const groups = groupBy(
    inodes.filter(({ dropped }) => count(dropped) > 0),
    ({ inodeType, dax }) => `${inodeType} ${dax}`,
  );
  return [...groups.values()].map((group) => {
    const [first] = group as [UnwrittenInode];
    const named = group.slice(0, MOST_NAMED).map((one) => nameInode(one, what, count));
    const more = group.length - named.length;
    const rest = more > 0 ? `, and ${more} more` : '';
    return `${typeInWords(first.inodeType)} inodes ${VERDICT[what](first.dax)}: ${named.join(', ')}${rest}`;
  });
}

const VERDICT = {
  page: (dax: boolean) =>
    dax
      ? 'have S_DAX set, but had dirty page-cache pages before the unmount, which it did not write'
      : 'had dirty page-cache pages before the unmount, which it did not write',
  'DAX entry': () => 'had dirty DAX entries before the unmount, which it did not flush',
};

function nameInode({ inode, path, dropped }: UnwrittenInode, what: string, count: Counted): string {
  const name = path === undefined ? '' : ` (${escapeForTerminal(shortenPath(path))})`;
  const number = count(dropped);
  const noun =
    what === 'page' ? plural(number, 'page') : `${number} ${number === 1 ? 'entry' : 'entries'}`;
  return `inode ${inode}${name} ${dropped.atLeast ? 'at least ' : ''}${noun}`;
}

/** A path's end tells one from another. */
export function shortenPath(path: string): string {
  return path.length > LONGEST_PATH ? `…${path.slice(1 - LONGEST_PATH)}` : path;
}

/** The types of findings as they are said. Escaped. */
export function typeInWords(inodeType: string): string {
  return inodeType === 'symlink' ? 'symbolic link' : escapeForTerminal(inodeType);
}
