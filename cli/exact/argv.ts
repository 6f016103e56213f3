import { type GdbAddress, gdbArguments } from '../guest/machine.js';
import { escapeComma } from '../guest/option-list.js';
import { replayingArgv } from '../guest/recorded-machine.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { KeptExecution } from './read-record.js';

/** QEMU's command line for a replay: the recorded one, with the files where they are now. */
export function replayArgv(
  { record, execution, start, qemu }: KeptExecution,
  { gdb, more = [] }: { gdb?: GdbAddress | undefined; more?: readonly string[] } = {},
): Outcome<[string, ...string[]]> {
  const replaying = replayingArgv(record.argv, record.execution.path, execution);
  if (!replaying) return unknownForm('-icount');
  let argv = replaying.map((word) => (word === record.qemu.program ? qemu : word));
  for (const [name, { path }] of Object.entries(record.start.files)) {
    // The state is read through a descriptor.
    if (name === 'state') continue;
    const now = start.get(name) ?? '';
    const replaced = argv.map((word) => withPath(word, path, now));
    if (!replaced.some((word, index) => word !== argv[index]) && path !== now) {
      return unknownForm(name);
    }
    argv = replaced;
  }
  const [program = qemu, ...rest] = argv;
  // One that boots would run before we can say how far.
  const waits = record.start.kind === 'off' ? ['-S'] : [];
  return success([program, ...rest, ...waits, ...(gdb ? gdbArguments(gdb) : []), ...more]);
}

/** A word that is the path, or an option list with it. */
function withPath(word: string, before: string, now: string): string {
  if (word === before) return now;
  return word
    .split(/(?<!,),(?!,)/)
    .map((part) =>
      part === `mem-path=${escapeComma(before)}` ? `mem-path=${escapeComma(now)}` : part,
    )
    .join(',');
}

function unknownForm(what: string): Outcome<never> {
  return failure(
    'unreadable',
    `The command line in the record does not name its ${what} as daxrepro does`,
    'Restore record.json, or record the failure again',
  );
}
