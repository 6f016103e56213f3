import { EXIT, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import type { UnitResult } from '../results/run-result.js';
import { defaultStore } from '../store/store.js';
import { version } from '../version.js';
import type { Answer } from './answer.js';
import { type KeptExecution, openExecution } from './read-record.js';
import { type ExactReplay, replayExactly } from './replay.js';
import type { ReplayOptions } from './replayer.js';
import { whoWrote } from './who-wrote.js';

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
  /** Of --who-wrote, if the replay was exact. */
  whoWrote?: Answer;
}

export interface ExactRequest extends ReplayOptions {
  repeat: number;
  /** A byte, as byte.ts reads it. */
  whoWrote?: string | undefined;
  qemu?: string | undefined;
  argv: string[];
  progress: Progress;
}

/** Replays a recorded unit exactly, some times one after the other, or once to see who wrote a byte. */
export async function replayExecution(
  name: string | undefined,
  { repeat, whoWrote: asked, qemu, argv, progress, ...options }: ExactRequest,
): Promise<Outcome<ExactResult>> {
  progress({ type: 'stage', text: 'checking that the record is unchanged' });
  const opened = await openExecution(name, qemu);
  if (!opened.ok) return opened;
  const { unit } = opened.value;
  if (asked !== undefined) {
    const store = defaultStore();
    const watched = await whoWrote(opened.value, asked, { ...options, store, progress });
    if (!watched.ok) return watched;
    const { replay, answer } = watched.value;
    return success({
      ...resultOf(opened.value, [replay], argv),
      ...(answer && { whoWrote: answer }),
    });
  }
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
  return success(resultOf(opened.value, replays, argv));
}

function resultOf(
  { unit, name, record }: KeptExecution,
  replays: ExactReplay[],
  command: string[],
): ExactResult {
  const { fs, test, verdict, reason, findings } = unit;
  const { instructions, bytes } = record.execution;
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command,
    of: name,
    exact: replays.length > 0 && replays.every(({ exact }) => exact),
    unit: { fs, test, verdict, reason, findings },
    recorded: { instructions, seconds: record.seconds, bytes, qemu: record.qemu.version },
    replays,
  };
}

function numberOf(attempt: number, of: number): string {
  return of === 1 ? '' : ` (${attempt} of ${of})`;
}

export function exitCodeOfExact({ exact }: ExactResult): number {
  return exact ? EXIT.ok : EXIT.failed;
}
