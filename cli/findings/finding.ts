import type { CpuSupply } from '../cpu-supply.js';

/**
 * A problem found by a file-system check, in the kernel's log, or after a power cut. Field names
 * and meanings are those of the contract's JSON.
 */
export interface Finding {
  tool: 'e2fsck' | 'xfs_repair' | 'kernel' | 'power-cut';
  device?: string;
  /** The pass of e2fsck (1B counts as 1), or the phase of xfs_repair. */
  pass?: number;
  /** The program's own words. May contain anything the guest wrote: escape it before printing. */
  message: string;
  /** The message's class: see signature.ts. */
  signature: string;
  severity: Severity;
  /**
   * What became of the repair that the check offered: `made`, `refused` (by -n, or by an answer),
   * or `offered` without an answer in the log. Absent where it offered none.
   */
  fix?: 'offered' | 'made' | 'refused';
  inode?: number;
  /** `directory`, `symlink`, …: if the message says so. */
  inodeType?: string;
  /** As the message counts it: usually the number of the block within the inode. */
  block?: number;
  /** Bytes within the block. */
  offset?: number;
  /** The block group of ext2 and ext4, the allocation group of xfs. */
  group?: number;
  path?: string;
  /** The name of a directory entry, as the check prints it. `inode` is then the directory's. */
  entry?: string;
  /** The inode that the entry points to. */
  entryInode?: number;
  /** What the medium shows of that inode, read before any repair. */
  evidence?: InodeFacts;
  /** For a promise that was not kept over a power cut. */
  powerCut?: CutFacts;
  /** Kernel findings only, as are the following; `function` also of what stored what was lost. */
  kind?: KernelFindingKind;
  /** For a notice that the test caused on purpose: how, in one clause. */
  provoked?: string;
  /** The function that failed: at the instruction pointer, or named by the message. */
  function?: string;
  /** The module of that function; absent if it is built in. */
  module?: string;
  /** The kernel's first lines about it, without time stamps. */
  lines?: string[];
  /** For a stall or lockup: what the host gave the guest in the time that it speaks of. */
  cpu?: CpuSupply;
}

/**
 * - `corruption`: the file system is damaged, or the kernel failed in a way that can damage it
 * - `repairable`: what is stored can be told from the rest (counts, bitmaps), or a kernel warning
 * - `notice`: worth reading, no damage; a log with nothing but notices is clean
 */
export type Severity = 'corruption' | 'repairable' | 'notice';

/**
 * - `rcu-stall`, `soft-lockup`, `hard-lockup`, `hung-task`, `workqueue-lockup`: no progress; a guest
 *   whose processors got no time has them, too
 * - `slab`: SLUB's checks of the memory that it hands out
 * - `unsupported`: the file system has features that this kernel lacks
 * - `device`: a device that could not be set up, or not as was asked for
 * - `log-gap`: the kernel dropped lines of its log
 */
export type KernelFindingKind =
  | 'panic'
  | 'oops'
  | 'bug'
  | 'warning'
  | 'kasan'
  | 'ubsan'
  | 'kfence'
  | 'kcsan'
  | 'lockdep'
  | 'hung-task'
  | 'soft-lockup'
  | 'hard-lockup'
  | 'rcu-stall'
  | 'workqueue-lockup'
  | 'slab'
  | 'fs-error'
  | 'io-error'
  | 'machine-check'
  | 'out-of-memory'
  | 'leak'
  | 'user-crash'
  | 'unsupported'
  | 'device'
  | 'log-gap';

/** What is on the medium of an inode that a check mentions, read before any repair. */
export interface InodeFacts {
  device: string;
  inode: number;
  /** `directory`, `symlink`, …; absent if the mode is invalid. */
  inodeType?: string | undefined;
  /** Octal. */
  mode?: string | undefined;
  size?: number | undefined;
  links?: number | undefined;
  flags?: string | undefined;
  /** As debugfs or xfs_db prints it: which blocks of the device belong to the inode. */
  blockMap?: string | undefined;
  path?: string | undefined;
  /**
   * The source of the path: a directory on the `medium`, the `kernel` while it was still mounted,
   * or the `check`'s message.
   */
  pathFrom?: 'medium' | 'kernel' | 'check' | undefined;
  /** The block that the finding names, else the first. */
  block?: BlockFacts | undefined;
}

export interface BlockFacts {
  /** Within the inode. */
  number: number;
  /** Bytes from the start of the device. */
  position: number;
  /** Whether it contains only zeros. */
  zeros: boolean;
  /** The first bytes, in hexadecimal. */
  begins: string;
}

/** Details of a broken promise that the contract's finding has no field for. */
export interface CutFacts {
  /** The call that promised it: `fsync`, `msync`, … */
  promise: string;
  /**
   * Range of bytes of the file that differ from the promise: the first, and the one after the last.
   */
  from?: number | undefined;
  to?: number | undefined;
  /** How the power was cut when it first appeared. */
  cut: number;
  state: string;
  /** In how many of the checked images it is broken. */
  images: number;
  /** The last store to the first line that was lost. */
  storedBy?: CodePlace | undefined;
  /**
   * The last write-back of that line before the cut; null if there was none; absent if requests do
   * it.
   */
  writtenBackBy?: CodePlace | null | undefined;
}

export interface CodePlace {
  /** Hexadecimal. */
  address: string;
  /** `store_bytes`, `memcpy_flushcache`; absent if its name is unknown. */
  function?: string | undefined;
  /** `kernel`, a module's name, or the program's. */
  in: string;
  cpu: number;
}
