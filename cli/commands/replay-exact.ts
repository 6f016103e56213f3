import { parseByte } from '../exact/byte.js';
import { exitCodeOfExact, replayExecution } from '../exact/job.js';
import { parseCount } from '../options.js';
import { EXIT, type Failure, failure, success } from '../outcome.js';
import { formatExact } from '../report/exact-text.js';
import { debugCommand } from './replay-debug.js';
import { explain, inSession, print, terminalWidth } from './session.js';

/** The options of `replay` that `--exact` looks at. */
export interface ExactOptions {
  exact?: boolean;
  gdb?: string | true;
  at?: string;
  repeat?: string | undefined;
  whoWrote?: string | undefined;
  qemu?: string;
  json?: boolean;
  failures?: boolean | undefined;
  kernel?: string | undefined;
  suite?: string | undefined;
  jobs?: string | undefined;
  checkpoint?: boolean;
  out?: string;
  asRun?: boolean;
}

/** Options that mean nothing together; undefined if all is well. */
export function misuseOf(options: ExactOptions): Failure | undefined {
  if (!options.exact) {
    const { qemu, gdb, at, whoWrote } = options;
    const [alone] =
      Object.entries({ qemu, gdb, at, 'who-wrote': whoWrote }).find(
        ([, value]) => value !== undefined,
      ) ?? [];
    if (alone === undefined) return undefined;
    return failure('usage', `--${alone} without --exact`, 'Give both, or leave it out').failure;
  }
  if (options.at !== undefined && options.gdb === undefined) {
    return failure('usage', '--at without --gdb', 'Give both, or leave it out').failure;
  }
  if (options.gdb !== undefined && (options.json || options.repeat !== undefined)) {
    const other = options.json ? '--json' : '--repeat';
    const message = `--gdb does not go with ${other}`;
    return failure('usage', message, 'Leave one of them out').failure;
  }
  if (
    options.whoWrote !== undefined &&
    (options.gdb !== undefined || options.repeat !== undefined)
  ) {
    const other = options.gdb !== undefined ? '--gdb' : '--repeat';
    const message = `--who-wrote does not go with ${other}`;
    return failure('usage', message, 'Leave one of them out').failure;
  }
  const { failures, kernel, suite, jobs, checkpoint, out } = options;
  const others = { failures, kernel, suite, jobs, out };
  const [given] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  const name = given ?? (checkpoint === false ? 'no-checkpoint' : undefined);
  if (name === undefined) return undefined;
  return failure(
    'usage',
    `--exact does not go with --${name}: the record says what runs`,
    'Leave one of them out',
  ).failure;
}

/** `daxrepro replay RUN#N --exact`. */
export async function exactCommand(
  name: string | undefined,
  options: ExactOptions,
  argv: string[],
): Promise<number> {
  if (options.gdb !== undefined) return debugCommand(name, options);
  const byte = options.whoWrote === undefined ? undefined : parseByte(options.whoWrote);
  if (byte && !byte.ok) return explain(byte.failure);
  const repeat = parseCount('--repeat', options.repeat ?? '1', 1, 100_000);
  if (!repeat.ok) return explain(repeat.failure);
  return inSession(async ({ reporter, signal }) => {
    const replayed = await replayExecution(name, {
      ...{ repeat: repeat.value, qemu: options.qemu, argv, signal },
      whoWrote: options.whoWrote,
      progress: (event) => reporter.progress(event),
    });
    if (!replayed.ok) return replayed;
    reporter.end();
    print(options.json ? replayed.value : formatExact(replayed.value, { width: terminalWidth() }));
    return success(signal.aborted ? EXIT.interrupted : exitCodeOfExact(replayed.value));
  });
}
