import { inodeTypeOf } from './inode-type.js';

/**
 * Parses what the witness module saw at unmounts. kernels/witness/unmounts.c writes it and explains
 * each line. It comes from a guest, so it may be malformed.
 */
export interface Unmount {
  /** Counted from 1 since the guest booted. */
  number: number;
  fs: string;
  device: string;
  /** Before anything was written, while names were cached. */
  before?: Look | undefined;
  /** After the unmount had written all that a sync writes. */
  synced?: Look | undefined;
  /** Each inode, at the moment its cached data was dropped. */
  dropped?: Look | undefined;
}

export interface Look {
  /** All inodes in memory. */
  inodes: number;
  shown: SeenInode[];
  /** How many more would have been listed if there were room. */
  omitted: number;
}

export interface SeenInode {
  inode: number;
  inodeType: string;
  /** Whether it has S_DAX. */
  dax: boolean;
  size: number;
  links: number;
  cached: CachedData;
  /** Path in the file system, if the kernel had the name cached. */
  path?: string | undefined;
}

/** What is cached of an inode. */
export interface CachedData {
  /** Of the page cache. */
  pages: number;
  dirtyPages: number;
  /** DAX entries, which take the place of pages. */
  daxEntries: number;
  dirtyDaxEntries: number;
  /** There may be more; only this many were examined. */
  atLeast: boolean;
}

export interface UnmountLog {
  /** All unmounts, whether or not anything was recorded of them. */
  total: number;
  /** Unmounts with something to record but no room. */
  forgotten: number;
  unmounts: Unmount[];
}

/** The witness keeps 12 unmounts with 3 looks of 48 inodes. */
const MOST_UNMOUNTS = 100;
const MOST_INODES = 2000;

const HEADER = 'daxrepro_witness 1';
const TOTALS = /^totals (\d{1,10}) (\d{1,10})$/;
const UNMOUNT = /^unmount (\d{1,10}) (\w{1,16}) (\S{1,64}) \d{1,20}$/;
const LOOK = /^look (before|synced|dropped) (\d{1,10}) (\d{1,10}) (\d{1,10})$/;
const INODE =
  /^inode (?<inode>\d{1,16}) (?<mode>[0-7]{1,6}) (?<dax>[01]) (?<size>\d{1,16}) (?<links>\d{1,10}) (?<pages>\d{1,10}) (?<dirtyPages>\d{1,10}) (?<entries>\d{1,10}) (?<dirtyEntries>\d{1,10}) (?<capped>[01]) (?<path>.{0,2000})$/s;

/** undefined if the text is in another format. Skips unknown lines. */
export function readUnmounts(text: string): UnmountLog | undefined {
  const [header, ...lines] = text.split('\n');
  if (header !== HEADER) return undefined;
  const log: UnmountLog = { total: 0, forgotten: 0, unmounts: [] };
  let look: Look | undefined;
  let inodes = 0;
  for (const line of lines) {
    const totals = TOTALS.exec(line);
    if (totals) {
      log.total = Number(totals[1]);
      log.forgotten = Number(totals[2]);
    }
    const unmount = UNMOUNT.exec(line);
    if (unmount) {
      const [, number, fs = '', device = ''] = unmount;
      if (log.unmounts.length === MOST_UNMOUNTS) break;
      log.unmounts.push({ number: Number(number), fs, device });
      look = undefined;
    }
    const [, when, all, , omitted] = LOOK.exec(line) ?? [];
    const present = log.unmounts.at(-1);
    if (present && (when === 'before' || when === 'synced' || when === 'dropped')) {
      look = { inodes: Number(all), shown: [], omitted: Number(omitted) };
      present[when] = look;
    }
    const seen = INODE.exec(line)?.groups;
    if (look && seen && ++inodes <= MOST_INODES) look.shown.push(seenInode(seen));
  }
  return log;
}

function seenInode(fields: Partial<Record<string, string>>): SeenInode {
  const number = (name: string) => Number(fields[name]);
  const path = unescapePath(fields['path'] ?? '');
  return {
    inode: number('inode'),
    inodeType: inodeTypeOf(Number.parseInt(fields['mode'] ?? '0', 8)),
    dax: fields['dax'] === '1',
    size: number('size'),
    links: number('links'),
    cached: {
      pages: number('pages'),
      dirtyPages: number('dirtyPages'),
      daxEntries: number('entries'),
      dirtyDaxEntries: number('dirtyEntries'),
      atLeast: fields['capped'] === '1',
    },
    ...(path === '' ? {} : { path }),
  };
}

/** The kernel's seq_escape(): three octal digits after a backslash. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
