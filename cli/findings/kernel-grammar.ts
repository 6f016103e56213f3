import { firstCharacters } from './first-characters.js';
import { DEVICES } from './kernel-devices.js';
import { FILE_SYSTEMS } from './kernel-file-systems.js';
import { PANIC, REPORTS, withoutCondition } from './kernel-reports.js';
import { FUNCTION, type Head, harmless, needing, type Rule } from './kernel-rule.js';
import { XFS_RULES } from './kernel-xfs.js';

/**
 * The meaning of lines in the kernel's log, as tables: the first matching rule decides. Every
 * message at level "warning" and above in the code of test/kernel-messages/extract.ts matches one,
 * for the kernels in its table.
 */

/** Lines that resemble the rules below but mean nothing. */
const HARMLESS: readonly Rule[] = [
  // Our own modules taint the kernel.
  needing('loading out-of-tree module', harmless(/loading out-of-tree module taints kernel/)),
  needing('module verification failed', harmless(/module verification failed/)),
  needing('loading test module', harmless(/loading test module taints kernel/)),
  harmless(/^WARNING: You are running an unsupported configuration/),
  // Features of processors that the emulation lacks, at boot.
  harmless(/^(?:x86\/|Spectre|Speculative|RETBleed|MDS|TAA|Register File|GDS|SRBDS|MMIO)/),
  harmless(/^Warning: /),
];

/** In their order of precedence. */
export const RULES: readonly Rule[] = [
  PANIC,
  ...HARMLESS,
  ...REPORTS,
  ...XFS_RULES,
  ...FILE_SYSTEMS,
  ...DEVICES,
];

/** The rules that can match a line with this first character, in the same order. */
const BY_FIRST_CHARACTER = new Map<string, Rule[]>();
/** Rules that can match any line. */
const FOR_ANY: Rule[] = [];
for (const rule of RULES) {
  const first = firstCharacters(rule.pattern);
  for (const character of first ?? []) {
    if (!BY_FIRST_CHARACTER.has(character)) BY_FIRST_CHARACTER.set(character, [...FOR_ANY]);
  }
  const lists = first
    ? [...first].map((one) => BY_FIRST_CHARACTER.get(one))
    : BY_FIRST_CHARACTER.values();
  for (const list of lists) list?.push(rule);
  if (!first) FOR_ANY.push(rule);
}

/** Kernel messages differ within this length, and patterns stay fast. */
export const LONGEST_MATCHED = 512;

export interface Recognized {
  rule: Rule;
  groups: Partial<Record<string, string>>;
}

/**
 * The meaning of a line; undefined for the many without one.
 *
 * @param text without time stamp
 * @param stamped whether it had one, so that no program can have printed it
 */
export function recognize(text: string, stamped: boolean): Recognized | undefined {
  const own = text.startsWith('WARNING: ') ? withoutCondition(text) : text;
  const start = own.length > LONGEST_MATCHED ? own.slice(0, LONGEST_MATCHED) : own;
  for (const rule of BY_FIRST_CHARACTER.get(start.charAt(0)) ?? FOR_ANY) {
    if (rule.needs !== undefined && !start.includes(rule.needs)) continue;
    if (rule.kind !== 'harmless' && rule.stampedOnly && !stamped) continue;
    const found = rule.pattern.exec(start);
    if (found) return { rule, groups: found.groups ?? {} };
  }
  return undefined;
}

export function isHead(rule: Rule): rule is Head {
  return rule.kind !== 'harmless';
}

/** How a message about DAX begins if no time stamp shows that it is the kernel's. */
export const DAX_SPEAKERS = /^(?:EXT[234]-fs|XFS|ext[24]|xfs|nd_pmem|pmem\w*|dax\w*)\b/;
/** The word, not a path or a function of that name. */
export const ABOUT_DAX =
  /(?<![\w./])dax(?![\w./+-])|mounting ext[23] file system using the ext4 subsystem/i;
export const COMMAND_LINE = /^(?:Kernel c|C)ommand line:|^Unknown kernel command line/;

/** Lines of a report that name where it failed. The first match names the function. */
export const LOCATIONS: readonly RegExp[] = [
  new RegExp(`^RIP: (?:[\\da-f]{4}:)?(?:\\[<[\\da-f]*>\\] )*(?:0x)?${FUNCTION}`),
  // 32-bit, arm64 and old x86-64 kernels.
  new RegExp(`^(?:EIP: |pc : |PC is at |EIP is at |IP: )(?:\\[<[\\da-f]*>\\] )*${FUNCTION}`),
];

/** Functions at the top of a trace that only report or wait. */
export const UNINFORMATIVE =
  /^(?:__?)?(?:dump_stack|dump_stack_lvl|show_stack|schedule|schedule_\w+|__schedule|context_switch|io_schedule|print_\w+|kasan_\w+|__kasan\w*|__asan\w*|ubsan_\w*|__ubsan\w*|handle_\w+|check_noncircular|validate_chain|__lock_acquire|lock_acquire|lock_release|__might_\w+|___might_sleep|panic|\w*panic|mutex_lock\w*|__mutex_lock\w*|rwsem_\w+|down_\w+|wait_\w+|__wait_\w+|bit_wait\w*|out_of_line_wait\w*|report_bug|warn_\w+|__warn\w*|sched_show_task|show_\w+|rcu_\w+|kcsan_\w*|asm_\w+|exc_\w+|do_error_trap|die|oops_\w+|memcpy|memset|memmove|slab_\w+|object_err|check_(?:slab|object|bytes\w*|pad\w*|poison\w*)|\w*free_(?:to_partial_list|debug_processing)|alloc_debug_processing|(?:kmem_cache|_slab|slab|__slab)_(?:alloc|free|shutdown|destroy)\w*|kfree\w*|kmalloc\w*|list_slab_objects|xfs_(?:error_report|corruption_error|stack_trace|hex_dump))$/;

/** The report is over. */
export const END = /^---\[ end (?:trace|Kernel panic)|^={20,}$/;
