import {
  anyOf,
  FUNCTION,
  type Head,
  harmless,
  line,
  needing,
  type Rule,
  stack,
} from './kernel-rule.js';

/**
 * Heads of reports by the kernel's core and its debug facilities: kernel/panic.c, lib/bug.c,
 * arch/x86/kernel/dumpstack.c and traps.c, arch/x86/mm/fault.c, kernel/hung_task.c,
 * kernel/watchdog*.c, kernel/workqueue.c, kernel/rcu/tree_stall.h, tree_exp.h and tasks.h,
 * kernel/locking/lockdep.c, lib/debugobjects.c, lib/list_debug.c, lib/refcount.c, lib/ubsan.c,
 * mm/kasan, mm/kfence, mm/kmsan, mm/slub.c, kernel/kcsan, mm/oom_kill.c, mm/kmemleak.c.
 */

/** Text that any line of the log may contain, whoever prints it. */
export const PANIC: Head = needing(
  'Kernel panic',
  line('panic', /^(?!---\[).*Kernel panic - not syncing: (?<what>.*)/),
);

/** What SLUB prints after the head of a report, and on its own. */
const SLAB_DETAILS = anyOf('^ *', [
  '(?:INFO: )?(?:Object|Slab|0x[\\da-f]+-0x[\\da-f]+|Allocated in|Freed in) ?.*@offset.*',
  '(?:INFO: )?Slab 0x[\\da-f]+ objects=',
  '\\[[\\w ]+ overwritten\\] 0x',
  'FIX \\S+: ',
  '(?:TRACE|SLUB: (?:HWalign|Strict NUMA|Allocating a useless)|SLUB resiliency) ?',
  'SLUB: Unable to (?:add|allocate memory from node|initialize free list)\\b',
  '(?:cache: |node \\d+: slabs: )',
  '(?:object allocation/free stack trace|object pointer: |Invalid pointer 0x)',
  '(?:slu?a?b_debug option|slab_strict_numa|Cannot register slab|mem auto-init:)',
  'due to cpu |for unknown reason: actual=',
  '(?:\\d\\. kmalloc-\\d+: |[AB]\\. Corruption after|If allocated object is overwritten)',
]);

const SANITIZERS: readonly Rule[] = [
  stack('kasan', new RegExp(`^BUG: KASAN: (?<what>[\\w -]+?)(?: in ${FUNCTION})?$`)),
  stack('kasan', new RegExp(`^BUG: KASAN: (?<what>[\\w -]+?) in ${FUNCTION}`)),
  stack('kasan', new RegExp(`^BUG: KMSAN: (?<what>[\\w -]+?) in ${FUNCTION}`)),
  stack('kfence', new RegExp(`^BUG: KFENCE: (?<what>[\\w -]+?)(?: in ${FUNCTION})?$`)),
  stack('kcsan', new RegExp(`^BUG: KCSAN: (?<what>[\\w -]+?) in ${FUNCTION}`), 'repairable'),
  // `UBSAN: shift-out-of-bounds in fs/x.c:12:3`
  stack('ubsan', /^UBSAN: (?<what>[\w -]+) in (?<file>[^\s:]+)/, 'repairable'),
  // `BUG xfs_inode (Tainted: G    B): Poison overwritten`
  stack('slab', /^BUG (?<cache>[^\s(][^(]{0,60}?) \([^)]*\): (?<what>.*)/),
  stack('slab', /^kmem_cache_destroy (?<cache>\S+): (?<what>Slab cache still has objects).*/),
  harmless(SLAB_DETAILS),
  needing(' age=', harmless(/^(?:INFO: )?\w+ in \S+(?: \[\w+\])? age=/)),
  needing(' debugging increased ', harmless(/^ *\S+ debugging increased min order/)),
  needing(': cmpxchg ', harmless(/^\S+ \S+: cmpxchg /)),
  needing('slab extension', harmless(/^\S+, \S+: Failed to create slab extension/)),
  line('slab', /^SLUB <none>: (?<what>no slab for object).*/),
  line('slab', /^SLUB:? (?<cache>\S+):? (?<what>\d+ (?:partial )?slabs counted but counter=).*/),
];

/** Reports that a processor or a task makes no progress. A guest without CPU time has them, too. */
const STALLS: readonly Rule[] = [
  stack('soft-lockup', /^(?:NMI )?(?:watchdog: )?BUG: soft lockup - CPU#\d+ stuck for .*/),
  stack('hard-lockup', /^(?:NMI )?watchdog: (?:CPU\d+: )?Watchdog detected hard LOCKUP.*/),
  stack('workqueue-lockup', /^BUG: workqueue lockup.*/),
  stack('rcu-stall', /^(?:rcu: )?INFO: \w+ (?:self-)?detected (?:expedited )?stalls?\b.*/),
  needing('kthread starved', {
    ...stack('rcu-stall', /^(?:rcu: )?\w+ kthread starved for .*/),
    continues: 'rcu-stall',
  }),
  needing('kthread timer wakeup', {
    ...stack('rcu-stall', /^(?:rcu: )?\w+ kthread timer wakeup didn't happen for .*/),
    continues: 'rcu-stall',
  }),
  harmless(/^(?:rcu: )?INFO: (?:Expedited )?[Ss]tall ended /),
  needing('RCU CPU stall', harmless(/^(?:rcu: )?\s*(?:Tasks-)?RCU CPU stall (?:warnings|info)/)),
  harmless(/^CPU#\d+ Utilization every /),
  harmless(/^(?:NMI )?watchdog: (?:Enabled|Delayed init|Perf NMI|failed to change)/),
  {
    ...stack(
      'hung-task',
      /^INFO: task (?<name>.{1,20}?):\d+ (?:<[^>]*> )?(?:is )?blocked on an? .*/,
    ),
    continues: 'hung-task',
  },
  stack(
    'hung-task',
    /^INFO: task (?<name>.{1,20}?):\d+ (?:<[^>]*> )?blocked (?:in I\/O wait )?(?:for more than|in|on) .*/,
  ),
];

const LOCKDEP: readonly Rule[] = [
  // Its tables are full: it stops checking, and no lock is at fault.
  {
    ...stack(
      'lockdep',
      /^BUG: (?<what>MAX_(?:LOCK_DEPTH|LOCKDEP_\w+|STACK_TRACE_ENTRIES) too low)!?/,
      'notice',
    ),
  },
  harmless(/^INFO: lockdep is turned off/),
  stack(
    'lockdep',
    /^WARNING: (?<what>(?:possible|suspicious|inconsistent|bad unlock|bad contention|lock held|nested lock|held lock|Nested lock|chain_key|circular|\S+ lock order|HARDIRQ|SOFTIRQ).*)/,
    'repairable',
  ),
  stack('lockdep', /^WARNING: \S+\/\d+ (?<what>still has locks held)!?/, 'repairable'),
  stack('lockdep', /^BUG: (?<what>(?:[Ii]nvalid wait context|[Hh]eld lock freed).*)/, 'repairable'),
  stack('lockdep', /^BUG: (?<what>key) \S+ has not been registered!/, 'repairable'),
  stack('lockdep', /^BUG: (?<what>looking up invalid subclass).*/, 'repairable'),
  stack('lockdep', /^\[ BUG: (?<what>.*) \]$/, 'repairable'),
  stack(
    'lockdep',
    /^INFO: (?<what>(?:trying to register non-static key|possible \w+ \w+ dependency|inconsistent lock state).*)/,
    'repairable',
  ),
];

const CRASHES: readonly Rule[] = [
  // `kernel BUG at fs/dax.c:123!`, or a function if the kernel does not know lines.
  stack('bug', /^kernel BUG at (?<file>[^\s:]+):\d+!/),
  stack('bug', new RegExp(`^kernel BUG at ${FUNCTION} \\[verbose debug info unavailable\\]`)),
  stack('oops', /^BUG: (?<what>unable to handle .*|kernel NULL pointer dereference.*)/),
  stack('oops', /^(?:Unable to handle kernel |Internal error: )(?<what>.*)/),
  // With or without "Oops: " before it (6.10 and later); user programs have "traps: " in front.
  stack(
    'oops',
    /^(?:Oops: )?(?<what>general protection fault|invalid opcode|divide error|double fault|stack segment|int3|segment not present|alignment check|control protection|invalid TSS|coprocessor segment overrun|bounds|simd exception)\b.*: [\da-f]{4} \[#\d+\]/,
  ),
  stack('oops', /^(?:traps: )?PANIC: (?<what>double fault.*)/),
  stack('oops', /^BUG: (?<what>[\w-]{1,20} stack guard page was hit).*/),
  stack('oops', /^(?<what>Oops): .*/),
  needing(
    'Corrupted page table',
    line('oops', /^(?<name>.{1,16}): (?<what>Corrupted page table) at address .*/),
  ),
  line('oops', /^(?<what>Thread overran stack, or stack corrupted)/),
  stack('bug', /^BUG: (?<what>.*)/),
];

const PREFACES: readonly Head[] = [
  preface('bug', /^(?<what>list_(?:add|del) (?:double add|corruption)).*/),
  preface('bug', /^(?<what>refcount_t: .*)/, 'repairable'),
  preface(
    'bug',
    /^ODEBUG: (?<what>\w+ (?:active|not available|destroyed|init)\w*).*/,
    'repairable',
  ),
  preface('bug', /^usercopy: (?<what>Kernel memory \w+ attempt detected).*/),
  preface('bug', /^(?<what>Assertion failure) in (?<function>\w+)\(\) at (?<file>[^\s:]+):\d+:.*/),
  preface('bug', /^(?<what>VFS: brelse: Trying to free free buffer).*/, 'repairable'),
];

/**
 * `WARNING: CPU: 0 PID: 1 at fs/dax.c:12 f+0x1/0x2 [m]`; from 6.19 on
 * `WARNING: fs/dax.c:12 at f+0x1/0x2 [m], CPU#0: comm/1`, where CONFIG_DEBUG_BUGVERBOSE_DETAILED
 * puts `[condition] ` before the file: see {@link withoutCondition}.
 */
const WARNINGS: readonly Head[] = [
  {
    ...stack(
      'warning',
      new RegExp(
        `^WARNING: (?:CPU: \\d+(?: PID: \\d+)? at )?(?:\\./|(?:\\.\\./)+)?(?<file>[^\\s:]+):\\d+(?: at)? ${FUNCTION}`,
      ),
      'repairable',
    ),
    byFunction: true,
  },
  // Without CONFIG_DEBUG_BUGVERBOSE the kernel does not know the file.
  {
    ...stack(
      'warning',
      new RegExp(`^WARNING: (?:CPU: \\d+ PID: \\d+ )?at ${FUNCTION}(?:, CPU#|$)`),
      'repairable',
    ),
    byFunction: true,
  },
  { ...stack('warning', /^WARNING: (?<what>.*)/, 'repairable'), stampedOnly: true },
];

/**
 * A WARNING's line without the failed condition, which may contain anything and is not part of the
 * place: `[!(a[i] == b)] `.
 */
export function withoutCondition(text: string): string {
  const head = /^WARNING: (?:CPU: \d+(?: PID: \d+)? at )?(?=\[)/.exec(text)?.[0];
  if (head === undefined) return text;
  for (let at = text.indexOf('] '); at >= 0; at = text.indexOf('] ', at + 1)) {
    PLACE.lastIndex = at + 2;
    if (PLACE.test(text)) return head + text.slice(at + 2);
  }
  return text;
}

const PLACE = /[\w./+-]{1,200}:\d{1,6} (?:at )?[\w.]+\+0x/y;

const MEMORY: readonly Rule[] = [
  line('machine-check', /^(?:mce: )?\[Hardware Error\]: (?<what>.*)/),
  line(
    'out-of-memory',
    /^(?:Memory cgroup )?[Oo]ut of memory: (?<what>Killed process|Kill process).*/,
    'repairable',
  ),
  line('out-of-memory', /^(?<what>Out of memory and no killable processes).*/, 'repairable'),
  // A failed allocation: the caller copes with it, or reports that it could not.
  needing(
    'page allocation ',
    stack(
      'out-of-memory',
      /^(?<name>.{1,16}): (?<what>page allocation (?:failure|stall))\b.*/,
      'notice',
    ),
  ),
  line('out-of-memory', /^SLUB: (?<what>Unable to allocate memory on) .*/, 'notice'),
  line('leak', /^kmemleak: (?<what>\d+ new suspected memory leaks).*/, 'repairable'),
  needing(
    ']',
    line(
      'user-crash',
      /^(?:traps: )?.{1,20}\[\d+\](?:: | )(?<what>segfault|general protection fault|trap [\w ]+?) (?:at|ip).*/,
      'notice',
    ),
  ),
];

/** Lines were lost, so their content is unknown: by printk, or by journald, which reads from it. */
const GAPS: readonly Rule[] = [
  line('log-gap', /^\*\* \d+ printk messages dropped/, 'notice'),
  needing('dropped ', line('log-gap', /^(?<what>.{0,60}\bdropped) \d+ messages$/, 'notice')),
  needing('callbacks suppressed', harmless(/: \d+ callbacks suppressed$/)),
  harmless(/^(?:ODEBUG: Out of memory|usercopy: Invalid option)/),
];

export const REPORTS: readonly Rule[] = [
  ...SANITIZERS,
  ...STALLS,
  ...LOCKDEP,
  ...CRASHES,
  ...WARNINGS,
  ...PREFACES,
  ...MEMORY,
  ...GAPS,
];

function preface(
  kind: Head['kind'],
  pattern: RegExp,
  severity: Head['severity'] = 'corruption',
): Head {
  return { kind, severity, pattern, extent: 'preface' };
}
