/**
 * Signatures: the class of a message, the same for every inode, block, name, count, address and
 * process, different for different damage. People write them into case files and scripts, so they
 * hold nothing that YAML or a shell would want quoted:
 *
 *     e2fsck:directory-inode-block-offset-directory-corrupted
 *     xfs_repair:would-have-reset-inode-nlinks-from-to
 *     kernel:warning:fs/dax.c:dax_insert_entry
 *
 * A signature is parts joined by colons, the tool first. A part made from a message is the
 * message's words in lower case, joined by hyphens, after its variable texts are taken out.
 */

/** Longer messages differ early; the rest is mostly lists. */
const LONGEST = 120;

/** The variable parts of any message, in the order in which they must be removed. */
const VARIABLES: ReadonlyArray<readonly [RegExp, string]> = [
  // ctime(3): its day and month are words, which would stay.
  [/\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:[A-Z]{2,5} )?\d{4}\b/g, ' '],
  [/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi, ' '],
  // The two names that belong to the class: a broken '.' is not a broken file name.
  [/'\.\.'|"\.\."/g, ' dotdot '],
  [/'\.'|"\."/g, ' dot '],
  // An apostrophe within a word (can't, 0's) does not open a quotation.
  [/(?<!\w)'[^']*'(?!\w)/g, ' '],
  [/"[^"]*"/g, ' '],
  [/\/lost\+found\b/g, ' lost-found '],
  // Paths of more than one part or after a blank; "ext2/ext3" and "compat/rocompat" are words.
  [/(?<![\w)])\/[^\s:,;)]*/g, ' '],
  [/\+0x[\da-f]+\/0x[\da-f]+/gi, ' '],
  [/\b0x[\da-f]*/gi, ' '],
  [/\b[\da-f]{12,}\b/gi, ' '],
  // Numbers that stand alone; the digits of ext2fs_open2 or 64bit belong to names.
  [/(?<![\w])[-+]?\d+(?:[.,:]\d+)*(?![A-Za-z_\d])/g, ' '],
];

/**
 * The words of a message without its variable parts: `free-blocks-count-wrong-for-group-counted`.
 */
export function messageClass(message: string): string {
  return short(classWords(message));
}

/** What a test lists: `[+found]`, `(and 3 more)`; and words of the class that stand twice or more in a row. */
const LISTED = /\[[^\]]*\]|,? \(?and \d+ more\b[^,;)]*\)?/g;
const REPEATED = /(?<=^|-)([a-z0-9_]+(?:-[a-z0-9_]+)*?)(?:-\1)+(?=-|$)/g;

/**
 * The same for what a test says itself, without what it lists, one wrong page after the other: how many
 * there are is as variable as which.
 */
export function reasonClass(reason: string): string {
  const all = classWords(reason.replace(LISTED, ' ')).slice(0, 5 * LONGEST);
  return short(all.replace(REPEATED, '$1'));
}

function classWords(message: string): string {
  let text = message.slice(0, 2000);
  for (const [pattern, replacement] of VARIABLES) text = text.replace(pattern, replacement);
  return words(text);
}

function short(text: string): string {
  return text.slice(0, LONGEST).replace(/-$/, '') || 'message';
}

/** Joins the parts, without absent ones. */
export function signature(...parts: Array<string | undefined>): string {
  return parts.filter((part) => part !== undefined && part !== '').join(':');
}

function words(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-|-$/g, '');
}
