import type { TraceEvent } from '../guest/protocol.js';

/**
 * What write-back did for each inode, parsed from the kernel's trace events in tracefs format
 * (guest-scripts/lib/trace.pl; include/trace/events/writeback.h and fs_dax.h). It comes from a
 * guest, so unknown lines are skipped.
 */
export type WriteBackTrace =
  | {
      known: true;
      inodes: TracedInode[];
      /** The oldest events, dropped for lack of room. The counts are then lower bounds. */
      lost: number;
      /**
       * Events that this kernel does not have; `do_writepages` stands for calls of ->writepages.
       */
      without: string[];
    }
  /** `reason`: one clause without the full stop. */
  | { known: false; reason: string };

export interface TracedInode {
  /** `pmem0` */
  device: string;
  inode: number;
  /** Pages of the page cache that became dirty. */
  pagesDirtied: Occurrences;
  /** The inode itself was marked dirty, for its data or its attributes. */
  marked: Occurrences;
  /** Write-back of the inode, by a sync, an unmount or the kernel's timer. */
  writeBacks: Occurrences;
  /** Pages written by these, by their own count. */
  pagesWritten: number;
  /**
   * Calls of ->writepages, by write-back or an fsync; undefined if the kernel cannot trace them.
   */
  writepages?: Occurrences & {
    /** Its return values, each once: 0 or -errno. */ results: number[];
  };
  /** Runs of the DAX part of ->writepages; undefined if the kernel cannot trace them. */
  daxWriteBacks?: Occurrences;
}

export interface Occurrences {
  times: number;
  /** Absent if there were none. */
  first?: Occurrence;
  last?: Occurrence;
}

export interface Occurrence {
  /** By the guest's clock. */
  seconds: number;
  /** The kernel's name for it: at most 15 characters. */
  program: string;
}

/** An inode takes about 500 bytes of JSON. */
const MOST_INODES = 5000;
const MOST_RESULTS = 8;

/** `     mkdir-61      [000] .....    11.402: writeback_dirty_folio: bdi 259:0: ino=2 index=0` */
const LINE =
  /^ *(?<program>.{1,40}?)-(?<pid>\d{1,10}) +(?:\([^)]*\) +)?\[\d+\] +(?:[^\s\d]\S* +)?(?<at>\d{1,12}\.\d{1,9}): (?<event>\w{1,60}): (?<rest>.*)$/;
const OF_BDI = /^bdi (?<device>\d+:\d+): ino=(?<inode>\d{1,16})\b/;
const OF_DAX = /^dev (?<device>\d+:\d+) ino (?<inode>0x[0-9a-f]{1,13})\b/;
const OF_PROBE = /\bdevice=(?<device>\d{1,10}) inode=(?<inode>\d{1,16})\b/;
const WROTE = /\bwrote=(?<pages>\d{1,10})\b/;
const RESULT = /\bresult=(?<result>-?\d{1,10})\b/;

export function readWriteBack(text: string, of: Omit<TraceEvent, 'event'>): WriteBackTrace {
  if (of.problem !== '') return { known: false, reason: of.problem };
  const without = of.without.split(' ').filter((name) => name !== '');
  const reader = new TraceReader(devicesOf(of.devices), {
    writepages: !without.includes('do_writepages'),
    dax: !without.includes('fs_dax/dax_writeback_range'),
  });
  for (const line of text.split('\n')) reader.line(line);
  return { known: true, inodes: reader.inodes, lost: of.lost, without };
}

/** `259:0` → `pmem0` */
function devicesOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/(\S+)=(\d+:\d+)/g)].map(([, name = '', number = '']) => [number, name]),
  );
}

class TraceReader {
  readonly #inodes = new Map<string, TracedInode>();
  /** For each process, the inode whose ->writepages has not returned yet. */
  readonly #within = new Map<string, TracedInode>();

  constructor(
    readonly devices: ReadonlyMap<string, string>,
    readonly seen: { writepages: boolean; dax: boolean },
  ) {}

  get inodes(): TracedInode[] {
    return [...this.#inodes.values()];
  }

  line(line: string): void {
    const { program = '', pid = '', at = '', event, rest = '' } = LINE.exec(line)?.groups ?? {};
    const count = (occurrences: Occurrences | undefined) => {
      if (occurrences) note(occurrences, Number(at), program);
    };
    switch (event) {
      case 'writeback_dirty_folio':
      case 'writeback_dirty_page':
        count(this.#of(OF_BDI, rest)?.pagesDirtied);
        break;
      case 'writeback_mark_inode_dirty':
        count(this.#of(OF_BDI, rest)?.marked);
        break;
      case 'writeback_single_inode_start':
        count(this.#of(OF_BDI, rest)?.writeBacks);
        break;
      case 'writeback_single_inode': {
        const inode = this.#of(OF_BDI, rest);
        if (inode) inode.pagesWritten += Number(WROTE.exec(rest)?.groups?.['pages'] ?? 0);
        break;
      }
      case 'dax_writeback_range':
        count(this.#of(OF_DAX, rest)?.daxWriteBacks);
        break;
      case 'writepages': {
        const inode = this.#of(OF_PROBE, rest);
        count(inode?.writepages);
        if (inode) this.#within.set(pid, inode);
        break;
      }
      case 'writepages_done': {
        const results = this.#within.get(pid)?.writepages?.results;
        this.#within.delete(pid);
        const result = Number(RESULT.exec(rest)?.groups?.['result'] ?? Number.NaN);
        if (results && results.length < MOST_RESULTS && !results.includes(result)) {
          if (!Number.isNaN(result)) results.push(result);
        }
      }
    }
  }

  #of(pattern: RegExp, rest: string): TracedInode | undefined {
    const groups = pattern.exec(rest)?.groups;
    if (!groups) return undefined;
    const device = this.devices.get(deviceNumber(groups['device'] as string));
    const inode = Number(groups['inode']);
    if (device === undefined || !Number.isSafeInteger(inode)) return undefined;
    const key = `${device} ${inode}`;
    const known = this.#inodes.get(key);
    if (known || this.#inodes.size >= MOST_INODES) return known;
    const none = () => ({ times: 0 });
    const fresh: TracedInode = {
      ...{ device, inode, pagesDirtied: none(), marked: none(), writeBacks: none() },
      pagesWritten: 0,
      ...(this.seen.writepages ? { writepages: { times: 0, results: [] } } : {}),
      ...(this.seen.dax ? { daxWriteBacks: none() } : {}),
    };
    this.#inodes.set(key, fresh);
    return fresh;
  }
}

/** MAJOR:MINOR. kprobes show the kernel's internal number, with 20 bits of minor. */
function deviceNumber(text: string): string {
  if (text.includes(':')) return text;
  const number = Number(text);
  return `${Math.floor(number / 2 ** 20)}:${number % 2 ** 20}`;
}

function note(occurrences: Occurrences, seconds: number, program: string): void {
  occurrences.times += 1;
  occurrences.last = { seconds, program };
  occurrences.first ??= occurrences.last;
}
