import { failure, type Outcome, success } from '../outcome.js';
import { type CheckedRequest, checkSession } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { changesOf, type OpenedUnit } from './kept-image.js';
import { ENDLESS } from './session.js';

/** The options of `shell`. Those that it shares with `run` mean the same. */
export interface ShellOptions
  extends Pick<
    RunOptions,
    | 'cc'
    | 'kconfig'
    | 'patch'
    | 'steps'
    | 'mountOpts'
    | 'mkfsOpts'
    | 'size'
    | 'timeout'
    | 'cpus'
    | 'accel'
    | 'qemu'
    | 'userland'
    | 'e2fsprogs'
    | 'xfsprogs'
    | 'suite'
    | 'suitePatch'
    | 'partition'
    | 'stack'
    | 'poison'
    | 'logDevice'
    | 'rtDevice'
    | 'logwrites'
    | 'control'
    | 'checkpoint'
    | 'keepImages'
    | 'out'
    | 'json'
    | 'kernel'
    | 'pmem'
    | 'configured'
  > {
  /** A command instead of an interactive shell. */
  run?: string;
  /** A run, or a unit of one, whose image to examine. */
  from?: string;
  /** true: a socket of our own. */
  gdb?: string | true;
  gdbWait?: boolean;
}

/** Whether an option, by its name, was given on the command line. */
export type Given = (name: string) => boolean;

/** Checks what needs neither a request nor an image. */
export function checkShell(
  fs: string | undefined,
  { run, json, from, gdb, gdbWait }: ShellOptions,
): Outcome<void> {
  if (fs === undefined && from === undefined) {
    return failure(
      'usage',
      'No file system is named',
      'Name ext2, ext4 or xfs, or a run with --from',
    );
  }
  if (gdbWait && gdb === undefined) {
    return failure('usage', '--gdb-wait without --gdb', 'Add --gdb');
  }
  if (run === '') {
    return failure('usage', '--run has no command', 'Give one: --run "ls -l"');
  }
  if (run !== undefined) return success(undefined);
  if (json) {
    return failure(
      'usage',
      '--json without --run',
      'Name a command with --run: an interactive shell uses stdout itself',
    );
  }
  if (process.stdin.isTTY && process.stdout.isTTY) return success(undefined);
  return failure(
    'usage',
    'A shell needs a terminal on its standard input and output',
    'Give a command with --run; `--run bash` reads commands from the standard input',
  );
}

/** The request. For an image: what its unit ran with, unless the command line says otherwise. */
export function shellRequest(
  fs: string | undefined,
  options: ShellOptions,
  given: Given,
  opened: OpenedUnit | undefined,
): Outcome<CheckedRequest> {
  const timeout = options.timeout ?? String(ENDLESS);
  const usual = { ...options, timeout, repeat: '1' };
  if (!opened) return checkSession(fs ?? '', usual);
  const { unit, size } = opened;
  if (fs !== undefined && fs !== unit.fs) {
    return failure(
      'usage',
      `The image holds ${unit.fs}, not ${fs}`,
      `Name ${unit.fs}, or no file system`,
    );
  }
  const changes = given('patch') ? options.patch : changesOf(unit);
  return checkSession(unit.fs, {
    ...usual,
    kernel: given('kernel') ? options.kernel : unit.kernel.spec,
    pmem: given('pmem') ? options.pmem : unit.pmem,
    patch: changes && changes.length > 0 ? changes : undefined,
    size: String(size),
    control: options.control ?? unit.control,
  } as RunOptions);
}
