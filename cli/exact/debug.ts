import type { GdbAddress } from '../guest/machine.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { replayArgv } from './argv.js';
import type { Point } from './at.js';
import { boundsOfText, ConsoleText } from './find-text.js';
import type { KeptExecution } from './read-record.js';
import { Replayer, type ReplayOptions, type ReplayStop } from './replayer.js';

/** A replay that has stopped at a point, for a debugger. */
export interface DebugStop {
  instructions: number;
}

export interface DebugContext extends ReplayOptions {
  gdb: GdbAddress;
  progress: Progress;
  /** Called at the point. The replay ends when it resolves, or when QEMU ends. */
  stopped: (stop: DebugStop) => Promise<void>;
}

/** Replays to a point, and waits there. */
export async function debugExecution(
  kept: KeptExecution,
  point: Point,
  context: DebugContext,
): Promise<Outcome<DebugStop>> {
  const { progress, gdb, signal } = context;
  const bounds = await boundsOf(kept, point, context);
  if (!bounds.ok) return bounds;
  const console = new ConsoleText();
  const argv = replayArgv(kept, { gdb });
  if (!argv.ok) return argv;
  const started = Replayer.start(argv.value, kept.start.get('state'), console.observer, context);
  if (!started.ok) return started;
  const replayer = started.value;
  try {
    progress({ type: 'stage', text: 'replaying to the point' });
    const stop = await goTo(replayer, point, bounds.value, console);
    if (stop.kind === 'interrupted' || signal?.aborted) {
      return failure('interrupted', 'Interrupted', 'Start it again');
    }
    const reached = stop.kind === 'reached' || (stop.kind === 'end' && point.kind === 'end');
    if (!reached) return notReached(stop);
    const at = { instructions: await replayer.count() };
    await Promise.race([context.stopped(at), replayer.closed]);
    return success(at);
  } finally {
    await replayer.end();
  }
}

interface Bounds {
  before: number;
  after: number;
}

async function boundsOf(
  kept: KeptExecution,
  point: Point,
  context: DebugContext,
): Promise<Outcome<Bounds>> {
  const { instructions } = kept.record.execution;
  if (point.kind === 'end') return success({ before: instructions, after: instructions });
  if (point.kind === 'count') {
    return success({ before: point.instructions, after: point.instructions });
  }
  context.progress({ type: 'stage', text: 'replaying once, to find the point' });
  return boundsOfText(kept, point.text, context);
}

/** Instructions between two looks at the console, close to the point. */
const STEP = 20_000;

async function goTo(
  replayer: Replayer,
  point: Point,
  { before }: Bounds,
  console: ConsoleText,
): Promise<ReplayStop> {
  if (point.kind === 'end') return replayer.run();
  let stop = before > 0 ? await replayer.run(before) : ({ kind: 'reached' } as ReplayStop);
  if (point.kind === 'count') return stop;
  for (let to = before + STEP; stop.kind === 'reached'; to += STEP) {
    replayer.readConsole();
    if (console.shows(point.text)) return stop;
    stop = await replayer.run(to);
  }
  return console.shows(point.text) && stop.kind === 'end' ? { kind: 'reached' } : stop;
}

function notReached(stop: ReplayStop): Outcome<never> {
  const why =
    stop.kind === 'stalled'
      ? `QEMU executed no instruction for ${stop.seconds} s`
      : stop.kind === 'died'
        ? stop.message
        : 'the record ended before';
  return failure(
    'tool-failed',
    `The replay did not get to the point: ${why}`,
    'Check with `daxrepro replay RUN#N --exact` that the record replays, and name an earlier point',
  );
}
