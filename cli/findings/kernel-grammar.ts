import type { KernelFindingKind, Severity } from './finding.js';

/**
 * How the kernel's complaints begin, as a table. The formats are those that logs of 4.5 and later
 * show; those of fs/ext2, fs/ext4 and fs/xfs were compared with the source of 6.1. What prints them: kernel/panic.c, lib/bug.c,
 * arch/x86/kernel/dumpstack.c and traps.c, arch/x86/mm/fault.c, kernel/hung_task.c,
 * kernel/watchdog*.c, kernel/rcu/tree_stall.h, kernel/locking/lockdep.c, lib/ubsan.c, mm/kasan,
 * mm/kfence, kernel/kcsan, fs/ext2, fs/ext4, fs/xfs, mm/oom_kill.c.
 */

export interface Head {
  kind: KernelFindingKind;
  severity: Severity;
  /**
   * Anchored at the line's start. Groups: `what` is the message whose class is in the signature
   * (else the whole line is), `function`, `module`, `file`, `device`, `fs`, `inode`, `block`.
   */
  pattern: RegExp;
  /**
   * `stack`: a report of many lines follows, with the function in one of them.
   * `line`: all is said.
   */
  extent: 'stack' | 'line';
  /** The function is the class: what the message says beyond it is variable. */
  byFunction?: true;
  /** Programs say such things too: the kernel's time stamp has to be in front. */
  stampedOnly?: true;
}

const FUNCTION = String.raw`(?<function>[\w.]+)(?:\+0x[\da-f]+\/0x[\da-f]+)?(?: \[(?<module>\w+)(?: [^\]]*)?\])?`;

export const HEADS: readonly Head[] = [
  // Anywhere in the line, and told at once: there may be no line after it.
  line('panic', /^(?!---\[).*Kernel panic - not syncing: (?<what>.*)/),

  stack('kasan', new RegExp(`^BUG: KASAN: (?<what>[\\w -]+?) in ${FUNCTION}`)),
  stack('kfence', new RegExp(`^BUG: KFENCE: (?<what>[\\w -]+?)(?: in ${FUNCTION})?$`)),
  stack('kcsan', new RegExp(`^BUG: KCSAN: (?<what>[\\w -]+?) in ${FUNCTION}`), 'repairable'),
  stack('kasan', new RegExp(`^BUG: KMSAN: (?<what>[\\w -]+?) in ${FUNCTION}`)),
  // `UBSAN: shift-out-of-bounds in fs/x.c:12:3`
  stack('ubsan', /^UBSAN: (?<what>[\w -]+) in (?<file>[^\s:]+)/, 'repairable'),

  stack('soft-lockup', /^(?:NMI )?(?:watchdog: )?BUG: soft lockup - CPU#\d+ stuck for .*/),
  stack('hard-lockup', /^(?:NMI )?watchdog: (?:CPU\d+: )?Watchdog detected hard LOCKUP.*/),
  stack('soft-lockup', /^BUG: workqueue lockup.*/),
  stack('rcu-stall', /^(?:rcu: )?INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stalls? on CPU.*/),
  stack('rcu-stall', /^rcu: rcu_\w+ kthread starved for .*/),
  stack(
    'hung-task',
    /^INFO: task (?<name>.{1,20}?):\d+ (?:<[^>]*> )?blocked (?:for more than|in|on) .*/,
  ),

  stack(
    'lockdep',
    /^WARNING: (?<what>(?:possible|suspicious|inconsistent|bad unlock|lock held|nested lock|held lock|Nested lock|chain_key|circular|\S+ lock order|HARDIRQ|SOFTIRQ).*)/,
    'repairable',
  ),
  stack(
    'lockdep',
    /^BUG: (?<what>(?:Invalid wait context|MAX_\w+ too low|held lock freed).*)/i,
    'repairable',
  ),
  stack('lockdep', /^\[ BUG: (?<what>.*) \]$/, 'repairable'),
  stack(
    'lockdep',
    /^INFO: (?<what>(?:trying to register non-static key|possible \w+ \w+ dependency|inconsistent lock state).*)/,
    'repairable',
  ),

  // `kernel BUG at fs/dax.c:123!`
  stack('bug', /^kernel BUG at (?<file>[^\s:]+):\d+!/),
  stack('oops', /^BUG: (?<what>unable to handle .*|kernel NULL pointer dereference.*)/),
  stack('oops', /^(?:Unable to handle kernel |Internal error: )(?<what>.*)/),
  // With or without "Oops: " before it (6.10 and later); user programs have "traps: " in front.
  stack(
    'oops',
    /^(?:Oops: )?(?<what>general protection fault|invalid opcode|divide error|double fault|stack segment|int3|segment not present|alignment check|control protection|invalid TSS|coprocessor segment overrun|bounds|simd exception)\b.*: [\da-f]{4} \[#\d+\]/,
  ),
  stack('oops', /^(?:traps: )?PANIC: (?<what>double fault.*)/),
  stack('oops', /^BUG: (?<what>(?:TASK )?stack guard page was hit).*/),
  stack('oops', /^(?<what>Oops): .*/),
  stack('bug', /^BUG: (?<what>.*)/),

  // `WARNING: CPU: 0 PID: 1 at fs/dax.c:12 f+0x1/0x2 [m]`; from 6.18 on
  // `WARNING: fs/dax.c:12 at f+0x1/0x2 [m], CPU#0: comm/1`.
  {
    kind: 'warning',
    severity: 'repairable',
    extent: 'stack',
    byFunction: true,
    pattern: new RegExp(
      `^WARNING: (?:CPU: \\d+(?: PID: \\d+)? at )?(?<file>[^\\s:]+):\\d+(?: at)? ${FUNCTION}`,
    ),
  },
  { ...stack('warning', /^WARNING: (?<what>.*)/, 'repairable'), stampedOnly: true },

  line('machine-check', /^(?:mce: )?\[Hardware Error\]: (?<what>.*)/),
  line('machine-check', /^Memory failure: (?<what>.*)/),
  line('leak', /^kmemleak: (?<what>\d+ new suspected memory leaks).*/, 'repairable'),
  line(
    'out-of-memory',
    /^(?:Memory cgroup )?[Oo]ut of memory: (?<what>Killed process|Kill process).*/,
    'repairable',
  ),
  line(
    'user-crash',
    /^(?:traps: )?.{1,20}\[\d+\](?:: | )(?<what>segfault|general protection fault|trap [\w ]+?) (?:at|ip).*/,
    'notice',
  ),

  // A mount that looks for another file system, as the kernel does for the root.
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?:error: )?(?<what>couldn't mount (?:as|because).*|VFS: Can't find .*|error: can't find an ext2 .*)/,
    'notice',
  ),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs error \(device (?<device>[^)]+)\)(?: in)?:? ?(?<function>\w+)(?::\d+)?: (?<what>.*)/,
  ),
  line('fs-error', /^(?<fs>EXT[234])-fs error(?<what>.*)/),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs warning \(device (?<device>[^)]+)\): (?<function>\w+)(?::\d+)?: (?<what>.*)/,
    'repairable',
  ),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?:error|panic): (?:(?<function>\w+): )?(?<what>.*)/,
  ),
  // Asked for: by the ioctl that tests of recovery use.
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?<what>shut down requested)/,
    'notice',
  ),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?<what>Remounting filesystem read-only|mount failed|previous I\/O error to superblock.*|error loading journal|.*(?:[Cc]orrupt|failed!|I\/O error|[Bb]ad block|checksum|data loss|uh-oh|not cleared!|tracked as orphan|jbd2_start: ).*|This should not happen!.*|Delayed block allocation failed.*|failed to convert unwritten.*|[Cc]an't read .*|get orphan inode failed|Failed to update primary superblock|sb orphan head is .*|ext4_check_descriptors: .*|Magic mismatch.*|[Jj]ournal (?:inode is deleted|UUID does not match).*|no journal found|Could not load journal inode|\w+:\d+: inode #\d+: .*)/,
  ),
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?<what>warning: mounting (?:fs with errors|unchecked fs).*|error count since last fsck.*|(?:initial|last) error at time.*)/,
    'repairable',
  ),
  // What else they complain of: mounts that are refused, options, too little memory. A test says so
  // itself where it matters.
  line(
    'fs-error',
    /^(?<fs>EXT[234])-fs \((?<device>[^)]+)\): (?<what>.*\b(?:[Ff]ail(?:ed|ure)|[Ee]rror|[Cc]an't|[Cc]annot|[Cc]ouldn't|[Uu]nable|[Bb]ad|[Ii]nvalid|[Ii]nconsistent|unsupported|not supported|too (?:large|many|small|big)|[Ii]nsufficient|[Nn]ot enough|unavailable|recommended)\b.*)/,
    'notice',
  ),
  line('fs-error', /^Aborting (?<what>journal) on device (?<device>[^\s.]+)/),
  line(
    'fs-error',
    /^(?<fs>JBD2): (?<what>.*(?:[Ee]rror|corrupt|[Ii]nvalid|failed|Failed|checksum|recovery pass|no valid journal).*)/,
  ),
  xfsStack(
    /(?<what>Internal error [^\s]+) at line \d+ of file (?<file>\S+?)\. {1,2}Caller (?<function>\w+).*/,
  ),
  xfs(
    /(?<what>Metadata (?:corruption|CRC error) detected) at (?<function>\w+)(?:\+0x[\da-f]+\/0x[\da-f]+)?(?: \[(?<module>\w+)\])?, (?:\w+ )?(?:block|inode|dquot)? ?.*/,
  ),
  xfs(/(?<what>Assertion failed: .{0,200}?), file: (?<file>\S+?), line: \d+.*/),
  // Asked for, by the ioctl and by error injection; and mounts that are refused.
  xfs(
    /(?<what>User initiated shutdown|Injecting error|write access unavailable|Please unmount the filesystem and rectify|.*\b(?:mount option|mounts? must be|logbufs?(?:ize)?|log iosize|sunit|swidth|stripe (?:width|alignment)|not (?:supported|available|compatible)|unsupported (?:feature|option)|incompatible|deprecated|Superblock has unknown|kernel is recommended|logdev|rtdev|project and group quota|too large to be mounted|does not support|transition prohibited|[Oo]nly pagesize|Cannot mount|block alignment|[Ll]og s(?:ize|ector size))\b).*/,
    'notice',
  ),
  xfs(
    /(?<what>.*(?:[Cc]orrupt|CORRUPT|I\/O [Ee]rror|[Ii]nternal error|[Ss]hut(?:ting)? down|shutdown|[Ff]ailed|FAILED|[Uu]nmount and run|run xfs_repair|needs repair|bad magic|\b[Bb]ad\b|\bBAD\b|mismatch|does not match|[Mm]etadata LSN|metadata errors|hard error|can't|[Cc]annot|could ?n[o']t|[Uu]nable to|log mount\/recovery|returned error|\b[Ee]rror \d|out of range|block zero|ran out of|overrun|overflowed|[Tt]orn write|known in-use inode|infinite loop|deadlock|NULL dquot|dquot too small|nlink zero|wrong leaf|head behind tail|tail wrapped|[Ii]nvalid|[Ii]nconsistent|unexpected|unrecogni[sz]ed|page discard|delalloc extent|Unknown buffer type|quotacheck forced|Unsuccessful|into a BUG|not in the AIL|!= tail_cycle|>= mp->|sb_inprogress set|too small to reflect|ptrs are equal).*)/,
  ),
  line(
    'io-error',
    /^(?:.{1,40}: )?(?<what>(?:Buffer )?I\/O error|critical \w+ error),? (?:on )?dev(?:ice)? (?<device>[^\s,]+).*/,
  ),
  line(
    'io-error',
    /^(?<device>pmem[\w.]*|nd_\w+ \S+|nvdimm\S*): (?<what>.*(?:[Ee]rror|fail|poison|bad ?block).*)/,
  ),
];

/**
 * Lines that fit a head above and are none: our own modules taint the kernel, and DAX is called
 * experimental where it works.
 */
export const HARMLESS: readonly RegExp[] = [
  // A mount that is refused, or goes on without, for want of DAX: no damage; `daxMessages` has it.
  /^(?:EXT[234]-fs|XFS) \([^)]*\): .*\bDAX\b/,
  // The empty floppy drive of QEMU's machines.
  /\bdev fd0\b/,
  /loading out-of-tree module taints kernel/,
  /module verification failed/,
  /loading test module taints kernel/,
  /^XFS \([^)]*\): EXPERIMENTAL/,
  /^WARNING: You are running an unsupported configuration/,
  /^XFS \([^)]*\): (?:Mounting|Ending (?:clean|recovery)|Unmounting|Starting recovery|Deprecated)/,
  // Processors that the emulation does not quite model, at boot.
  /^(?:x86\/|Spectre|Speculative|RETBleed|MDS|TAA|Register File|GDS|SRBDS|MMIO)/,
  /^Warning: /,
];

/** What a message about DAX begins with where no time stamp says that it is the kernel's. */
export const DAX_SPEAKERS = /^(?:EXT[234]-fs|XFS|ext[24]|xfs|nd_pmem|pmem\w*|dax\w*)\b/;
/** The word, not a path or a function of that name. */
export const ABOUT_DAX =
  /(?<![\w./])dax(?![\w./+-])|mounting ext[23] file system using the ext4 subsystem/i;
export const COMMAND_LINE = /^(?:Kernel c|C)ommand line:|^Unknown kernel command line/;

/** Lines of a report that name where it failed; the first that fits names the function. */
export const LOCATIONS: readonly RegExp[] = [
  new RegExp(`^RIP: (?:[\\da-f]{4}:)?(?:\\[<[\\da-f]*>\\] )*(?:0x)?${FUNCTION}`),
  // 32-bit, arm64 and old x86-64 kernels.
  new RegExp(`^(?:EIP: |pc : |PC is at |EIP is at |IP: )(?:\\[<[\\da-f]*>\\] )*${FUNCTION}`),
];

/** Functions at the top of a trace that only report or wait. */
export const UNINFORMATIVE =
  /^(?:__?)?(?:dump_stack|dump_stack_lvl|show_stack|schedule|schedule_\w+|__schedule|context_switch|io_schedule|print_\w+|kasan_\w+|__kasan\w*|__asan\w*|ubsan_\w*|__ubsan\w*|handle_\w+|check_noncircular|validate_chain|__lock_acquire|lock_acquire|lock_release|__might_\w+|___might_sleep|panic|\w*panic|mutex_lock\w*|__mutex_lock\w*|rwsem_\w+|down_\w+|wait_\w+|__wait_\w+|bit_wait\w*|out_of_line_wait\w*|report_bug|warn_\w+|__warn\w*|sched_show_task|show_\w+|rcu_\w+|kcsan_\w*|asm_\w+|exc_\w+|do_error_trap|die|oops_\w+|memcpy|memset|memmove)$/;

/** The report is over. */
export const END = /^---\[ end (?:trace|Kernel panic)|^={20,}$/;

function stack(kind: KernelFindingKind, pattern: RegExp, severity: Severity = 'corruption'): Head {
  return { kind, severity, pattern, extent: 'stack' };
}

function line(kind: KernelFindingKind, pattern: RegExp, severity: Severity = 'corruption'): Head {
  return { kind, severity, pattern, extent: 'line' };
}

/** After `XFS (pmem0): `, or `XFS: ` where no device is known. */
function xfs(rest: RegExp, severity: Severity = 'corruption'): Head {
  const whole = new RegExp(`^(?<fs>XFS)(?: \\((?<device>[^)]+)\\))?: ${rest.source}`);
  return line('fs-error', whole, severity);
}

function xfsStack(rest: RegExp): Head {
  return { ...xfs(rest), extent: 'stack' };
}
