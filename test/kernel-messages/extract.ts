import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { callsOf, literal, withoutComments } from './c-source.js';
import { type Level, PRINTERS, type Printer } from './printers.js';

/** One line that the kernel can print. */
export interface KernelMessage {
  /** The folder or file in {@link SCOPE} that has it. */
  subsystem: string;
  level: Level;
  /** The whole line as a format of printk, without its line end. */
  format: string;
}

/** What is read of a kernel tree: folders and files whose every message counts. */
const SUBSYSTEMS: readonly string[] = [
  'drivers/nvdimm',
  'drivers/dax',
  'drivers/cxl',
  'fs/dax.c',
  'fs/iomap',
  'fs/ext2',
  'fs/ext4',
  'fs/jbd2',
  'fs/xfs',
  'fs/quota',
  'fs/super.c',
  'fs/buffer.c',
  'fs/mpage.c',
  'fs/erofs',
  'fs/fuse',
  'mm/memory-failure.c',
  'mm/slub.c',
  'block/blk-core.c',
  'block/blk-mq.c',
];

/** Debug facilities: of these only the lines that begin a report. */
const FACILITIES: readonly string[] = [
  'kernel/panic.c',
  'kernel/hung_task.c',
  'kernel/watchdog.c',
  'kernel/watchdog_hld.c',
  'kernel/watchdog_perf.c',
  'kernel/workqueue.c',
  'kernel/rcu',
  'kernel/locking/lockdep.c',
  'kernel/sched/core.c',
  'kernel/kcsan/report.c',
  'lib/bug.c',
  'lib/ubsan.c',
  'lib/list_debug.c',
  'lib/debugobjects.c',
  'lib/refcount.c',
  'lib/dynamic_queue_limits.c',
  'mm/kasan',
  'mm/kfence',
  'mm/kmsan',
  'mm/usercopy.c',
  'mm/memory.c',
  'mm/page_alloc.c',
  'mm/debug.c',
  'mm/oom_kill.c',
  'arch/x86/kernel/traps.c',
  'arch/x86/kernel/dumpstack.c',
  'arch/x86/mm/fault.c',
];

export const SCOPE: readonly string[] = [...SUBSYSTEMS, ...FACILITIES];

/** How the line of a debug facility looks with which a report begins. */
const HEAD =
  /^(?:<pr_fmt>)?(?:\w+: )?(?:\[ )?(?:BUG|WARNING|INFO|UBSAN|PANIC|Oops|kernel BUG|Kernel panic|Internal error|refcount_t|list_\w+(?: \w+)? corruption|NMI watchdog|Watchdog detected|.*\bstalls?\b|.*\bstarved\b|.*\bblocked for\b|.*\block(?:up|ed up)\b|.*\boverwritten\b|usercopy|activate_object|init \w+ object|Memory cgroup out of memory|Out of memory)\b/;
/** Tests of the kernel itself, and programs that print as the kernel does. */
const LEFT_OUT = /(?:^|\/)tests?(?:\/|$)|_test(?:_\w+)?\.c$|kunit|torture|scale\.c$/;

/**
 * The messages of a kernel tree at level "info" and above, each once per subsystem. A message whose
 * format is not a literal cannot be read and is left out.
 */
export function extractMessages(tree: string): KernelMessage[] {
  const found = new Map<string, KernelMessage>();
  for (const subsystem of SCOPE) {
    const isFacility = FACILITIES.includes(subsystem);
    for (const file of sourcesIn(tree, subsystem)) {
      for (const message of messagesOf(file, readFileSync(join(tree, file), 'utf8'))) {
        const { level, format } = message;
        // Facilities print at any level; the file systems' plain information is theirs alone.
        if (isFacility && !HEAD.test(format)) continue;
        found.set(`${subsystem} ${level} ${format}`, { subsystem, level, format });
      }
    }
  }
  return [...found.values()];
}

function sourcesIn(tree: string, path: string): string[] {
  const whole = join(tree, path);
  const stat = statSync(whole, { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.isFile()) return [path];
  return readdirSync(whole, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[ch]$/.test(name) && !LEFT_OUT.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** The messages in one file. */
export function messagesOf(file: string, text: string): Omit<KernelMessage, 'subsystem'>[] {
  const source = withoutComments(text);
  return callsOf(source, NAMES).flatMap(({ name, arguments: given, offset }) => {
    const printer = PRINTERS.get(name) as Printer;
    const argument = given[printer.format];
    const format = argument === undefined ? undefined : literal(argument);
    const level = printer.level ?? levelOf(given);
    if (format === undefined || level === undefined) return [];
    const prefix = printer.line.includes('<pr_fmt>') ? prefixAt(file, source, offset) : '';
    // A function, not a string, in the replacement: a format may hold a dollar sign.
    const line = printer.line.replace('<pr_fmt>', () => prefix).replace('{}', () => format);
    return [...linesOf(line)].map((one) => ({ level, format: one }));
  });
}

const NAMES = new Set(PRINTERS.keys());

/** The level that a call names; printk without one prints at "warning". */
function levelOf(given: readonly string[]): Level | undefined {
  const named = /\bKERN_([A-Z]+)\b/.exec(given.slice(0, 2).join(' '))?.[1];
  switch (named) {
    case 'EMERG':
    case 'ALERT':
    case 'CRIT':
    case 'ERR':
      return 'error';
    case 'NOTICE':
    case 'INFO':
      return 'info';
    case 'DEBUG':
    case 'CONT':
      return undefined;
    default:
      return 'warning';
  }
}

/** The file's own `pr_fmt`, the last one before the call. */
function prefixAt(file: string, source: string, offset: number): string {
  const before = source.slice(0, offset);
  const defined = [...before.matchAll(/#\s*define\s+pr_fmt\(\w+\)[ \t]+(.*?)(?:fmt)?[ \t]*$/gm)].at(
    -1,
  );
  if (!defined) return /^fs\/fuse\//.test(file) ? 'fuse: ' : '';
  const value = (defined[1] as string).replace(/\bKBUILD_MODNAME\b/g, `"${moduleOf(file)}"`);
  return literal(value) ?? '';
}

/** The module's name, where it is not that of the file. */
function moduleOf(file: string): string {
  if (/^drivers\/nvdimm\/(?:bus|core|dimm_devs|dimm|region_devs|label)\.c$/.test(file))
    return 'libnvdimm';
  return file.startsWith('fs/') ? basename(dirname(file)) : basename(file, '.c');
}

/** A call may print several lines; blank ones and what only draws a line are none. */
function* linesOf(text: string): Generator<string> {
  for (const line of text.split('\n')) {
    // What prints the others' messages.
    if (line.includes('%pV')) continue;
    if (/\w/.test(line.replace(/%[-#0-9.*]*[a-zA-Z]+/g, '')))
      yield line.replace(/\t/g, ' ').trimEnd();
  }
}
