import type { Unwritten, UnwrittenInode } from '../evidence/unwritten.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import { plural } from '../words.js';

/** Which dirty data an unmount left unwritten, as sentences without the full stop. */

/** Inodes named in a sentence. */
const MOST_NAMED = 6;
/** Characters shown of a path. */
const LONGEST_PATH = 60;

/**
 * The inodes that were dirty at the unmount: a sentence for each type of inode and each kind of data.
 * Escaped, since paths come from a guest.
 */
export function explainUnwritten(unwritten: Unwritten | undefined): string[] {
  if (unwritten === undefined) return [];
  if (!unwritten.known)
    return [
      `unknown whether the unmount left dirty data unwritten: ${escapeForTerminal(unwritten.reason)}`,
    ];
  const sentences = [
    ...sentencesOf(unwritten, 'page', ({ dirtyPages }) => dirtyPages),
    ...sentencesOf(unwritten, 'DAX entry', ({ dirtyDaxEntries }) => dirtyDaxEntries),
    ...unwritten.writtenDax.map(
      ({ inodeType, inodes }) =>
        `${typeInWords(inodeType)} inodes have S_DAX set, but also page-cache pages, which were written (${plural(inodes, 'inode')})`,
    ),
  ];
  if (unwritten.omitted > 0) {
    sentences.push(
      `${plural(unwritten.omitted, 'more inode')} with dirty data did not fit into the list`,
    );
  }
  if (unwritten.inodes.length > 0) return sentences;
  return [...sentences, `${plural(unwritten.unmounts, 'unmount')} left no dirty data unwritten`];
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
      ? 'have S_DAX set, but had dirty page-cache pages that the unmount did not write'
      : 'had dirty page-cache pages that the unmount did not write',
  'DAX entry': () => 'had dirty DAX entries that the unmount did not flush',
};

function nameInode({ inode, path, dropped }: UnwrittenInode, what: string, count: Counted): string {
  const name = path === undefined ? '' : ` (${escapeForTerminal(shortenPath(path))})`;
  const number = count(dropped);
  const noun =
    what === 'page' ? plural(number, 'page') : `${number} ${number === 1 ? 'entry' : 'entries'}`;
  return `inode ${inode}${name} ${dropped.atLeast ? 'at least ' : ''}${noun}`;
}

/** Keeps the end of a path, where paths differ. */
export function shortenPath(path: string): string {
  return path.length > LONGEST_PATH ? `…${path.slice(1 - LONGEST_PATH)}` : path;
}

/** The type of an inode in words. Escaped. */
export function typeInWords(inodeType: string): string {
  return inodeType === 'symlink' ? 'symbolic link' : escapeForTerminal(inodeType);
}
