import type { CpuSupply } from '../cpu-supply.js';

/**
 * What was found wrong: by a file-system check, in the kernel's log, or after a power cut. The fields of the
 * contract's JSON, the same names and meanings.
 */
export interface Finding {
  tool: 'e2fsck' | 'xfs_repair' | 'kernel' | 'power-cut';
  device?: string;
  /** The pass of e2fsck (1B counts as 1), or the phase of xfs_repair. */
  pass?: number;
  /** The program's own words. May hold whatever the guest wrote: escape it before printing. */
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
  /** `directory`, `symlink`, …: where the message says so. */
  inodeType?: string;
  /** As the message counts it: mostly the number of the block within the inode. */
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
  /** Of a promise that was not kept over a power cut. */
  powerCut?: CutFacts;
  /** Kernel findings only, as are the following; `function` also of what stored what was lost. */
  kind?: KernelFindingKind;
  /** Of a notice that the test caused on purpose: how, in one clause. */
  provoked?: string;
  /** The function that failed: at the instruction pointer, or named by the message. */
  function?: string;
  /** The module of that function; absent where it is built in. */
  module?: string;
  /** The kernel's lines about it, without time stamps, the first ones. */
  lines?: string[];
  /** Of a stall or lockup: what the host gave the guest in the time that it speaks of. */
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

/** What is on the medium of an inode that a check spoke of, read before any repair. */
export interface InodeFacts {
  device: string;
  inode: number;
  /** `directory`, `symlink`, …; absent where its mode is none. */
  inodeType?: string | undefined;
  /** Octal. */
  mode?: string | undefined;
  size?: number | undefined;
  links?: number | undefined;
  flags?: string | undefined;
  /** As debugfs or xfs_db prints it: which blocks of the device are which of the inode's. */
  blockMap?: string | undefined;
  path?: string | undefined;
  /**
   * Whence the path is: a directory on the `medium` has it, only the `kernel` had it when it was still
   * mounted, or it stands in the `check`'s message.
   */
  pathFrom?: 'medium' | 'kernel' | 'check' | undefined;
  /** The block that the finding names, else the first. */
  block?: BlockFacts | undefined;
}

export interface BlockFacts {
  /** Within the inode. */
  number: number;
  /** Bytes from the device's begin. */
  position: number;
  /** Whether there is nothing in it but zeros. */
  zeros: boolean;
  /** How it begins, in hexadecimal. */
  begins: string;
}

/** Of a broken promise: what the contract's finding has no field for. */
export interface CutFacts {
  /** The call that promised it: `fsync`, `msync`, … */
  promise: string;
  /** Bytes of the file that are not what was promised: the first, and the one after the last. */
  from?: number | undefined;
  to?: number | undefined;
  /** How the power was cut when it was first seen. */
  cut: number;
  state: string;
  /** In how many of the images that were asked it is broken. */
  images: number;
  /** The last store to the first line that was lost. */
  storedBy?: CodePlace | undefined;
  /** The last write-back of that line before the cut; null: there was none; absent where requests do it. */
  writtenBackBy?: CodePlace | null | undefined;
}

export interface CodePlace {
  /** Hexadecimal. */
  address: string;
  /** `store_bytes`, `memcpy_flushcache`; absent where it has no name that is known. */
  function?: string | undefined;
  /** `kernel`, a module's name, or the program's. */
  in: string;
  cpu: number;
}
