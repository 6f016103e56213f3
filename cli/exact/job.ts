import { EXIT, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import type { UnitResult } from '../results/run-result.js';
import { version } from '../version.js';
import { openExecution } from './read-record.js';
import { type ExactReplay, replayExactly } from './replay.js';
import type { ReplayOptions } from './replayer.js';

/** The document of `replay --exact`. */
export interface ExactResult {
  schemaVersion: 1;
  tool: { name: string; version: string };
  command: string[];
  /** The name that the user gave. */
  of: string;
  /** Whether every replay did exactly what was recorded, and there was one. */
  exact: boolean;
  unit: Pick<UnitResult, 'fs' | 'test' | 'verdict' | 'reason' | 'findings'>;
  recorded: { instructions: number; seconds: number; bytes: number; qemu: string };
  replays: ExactReplay[];
}

export interface ExactRequest extends ReplayOptions {
  repeat: number;
  qemu?: string | undefined;
  argv: string[];
  progress: Progress;
}

/** Replays a recorded unit exactly, some times one after the other. */
export async function replayExecution(
  name: string | undefined,
  { repeat, qemu, argv, progress, ...options }: ExactRequest,
): Promise<Outcome<ExactResult>> {
  progress({ type: 'stage', text: 'checking that the record is unchanged' });
  const opened = await openExecution(name, qemu);
  if (!opened.ok) return opened;
  const { unit, record } = opened.value;
  const replays: ExactReplay[] = [];
  for (let attempt = 1; attempt <= repeat; attempt += 1) {
    progress({
      type: 'stage',
      text: `replaying ${unit.fs} ${unit.test}${numberOf(attempt, repeat)}`,
    });
    const replayed = await replayExactly(opened.value, options);
    if (!replayed.ok) return replayed;
    replays.push(replayed.value);
  }
  const { fs, test, verdict, reason, findings } = unit;
  const { instructions, bytes } = record.execution;
  return success({
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command: argv,
    of: opened.value.name,
    exact: replays.length > 0 && replays.every(({ exact }) => exact),
    unit: { fs, test, verdict, reason, findings },
    recorded: { instructions, seconds: record.seconds, bytes, qemu: record.qemu.version },
    replays,
  });
}

function numberOf(attempt: number, of: number): string {
  return of === 1 ? '' : ` (${attempt} of ${of})`;
}

export function exitCodeOfExact({ exact }: ExactResult): number {
  return exact ? EXIT.ok : EXIT.failed;
}
