import { parsePoint } from '../exact/at.js';
import { type DebugStop, debugExecution } from '../exact/debug.js';
import { type KeptExecution, openExecution } from '../exact/read-record.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import { gdbLines } from '../shell/banner.js';
import { type GdbPlace, gdbHelp, gdbPlace } from '../shell/gdb.js';
import { inSession, type Session } from './session.js';

/** The options of `replay --exact --gdb`. */
export interface DebugOptions {
  /** As for `shell`. */
  gdb?: string | true;
  at?: string;
  qemu?: string;
}

/** `daxrepro replay RUN#N --exact --gdb`: stops a replay at a point, until gdb or Ctrl-C ends it. */
export function debugCommand(name: string | undefined, options: DebugOptions): Promise<number> {
  return inSession((session) => debug(name, options, session), 'interrupted: ending the replay');
}

async function debug(
  name: string | undefined,
  { gdb = true, at = 'end', qemu }: DebugOptions,
  { reporter, signal }: Session,
): Promise<Outcome<number>> {
  reporter.progress({ type: 'stage', text: 'checking that the record is unchanged' });
  const kept = await openExecution(name, qemu);
  if (!kept.ok) return kept;
  const { unit, record } = kept.value;
  const point = parsePoint(at, unit, record.execution.instructions);
  if (!point.ok) return point;
  const place = await gdbPlace(gdb);
  if (!place.ok) return place;
  try {
    const ended = await debugExecution(kept.value, point.value, {
      ...{ gdb: place.value.address, signal },
      progress: (event) => reporter.progress(event),
      stopped: async (stop) => {
        reporter.end();
        process.stdout.write(`${describe(stop, kept.value, place.value)}\n`);
        await aborted(signal);
      },
    });
    // Ctrl-C is how a person leaves.
    return ended.ok ? success(EXIT.ok) : ended;
  } finally {
    await place.value.close();
  }
}

function describe(
  { instructions }: DebugStop,
  { unit, record }: KeptExecution,
  place: GdbPlace,
): string {
  const { spec, release } = unit.kernel;
  const { symbols } = record;
  const kernel = { spec, release, ...(symbols === undefined ? {} : { symbols }) };
  const of = record.execution.instructions.toLocaleString('en');
  return [
    `stopped  after ${instructions.toLocaleString('en')} of ${of} instructions`,
    ...gdbLines(gdbHelp(place, kernel, undefined, undefined)).map((line) => line.trimStart()),
    'leave    Ctrl-C here, or kill in gdb',
  ].join('\n');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
