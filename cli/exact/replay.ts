import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordKeeper } from '../launch/record-keeper.js';
import { failure, type Outcome, success } from '../outcome.js';
import { storageFailure } from '../store/store.js';
import { replayArgv } from './argv.js';
import { type Difference, differences, type Observed } from './compare.js';
import type { KeptExecution } from './read-record.js';
import { Replayer, type ReplayOptions } from './replayer.js';

/** One replay of a recorded execution to its end. */
export interface ExactReplay {
  /** Whether it did everything that the recorded execution did. */
  exact: boolean;
  instructions: number;
  seconds: number;
  differences: Difference[];
  /** What the guest left, kept if it differs. */
  directory?: string;
}

export interface ExactReplayOptions extends ReplayOptions {
  /** More arguments of QEMU. */
  more?: readonly string[];
  /** Called when the guest has stopped, before QEMU ends. */
  atEnd?: (replayer: Replayer) => Promise<void>;
}

export async function replayExactly(
  kept: KeptExecution,
  options: ExactReplayOptions,
): Promise<Outcome<ExactReplay>> {
  const { more = [], atEnd } = options;
  const argv = replayArgv(kept, { more });
  if (!argv.ok) return argv;
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'daxrepro-replay-'));
  let differs = false;
  try {
    const keeper = new RecordKeeper(directory, () => {});
    const state = kept.start.get('state');
    const replayer = Replayer.start(argv.value, state, keeper, options);
    if (!replayer.ok) return replayer;
    const stop = await replayer.value.run();
    if (atEnd && stop.kind === 'end') {
      await atEnd(replayer.value);
      await replayer.value.quit();
    }
    const end = await replayer.value.end();
    keeper.close();
    if (stop.kind === 'interrupted') return failure('interrupted', 'Interrupted', 'Start it again');
    const recorded = await recordedOf(kept);
    const replayed = { end, ...(await observedIn(directory)) };
    const found = differences(recorded, replayed, stop);
    differs = found.length > 0;
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const { instructions } = end;
    const one = { exact: !differs, instructions, seconds, differences: found };
    return success(differs ? { ...one, directory } : one);
  } catch (error) {
    return storageFailure(directory, error);
  } finally {
    if (!differs) await rm(directory, { recursive: true, force: true });
  }
}

async function recordedOf({ record, directory }: KeptExecution): Promise<Observed> {
  const { console, events } = await observedIn(directory);
  const { instructions } = record.execution;
  return {
    end: { instructions, channel: record.channel },
    console,
    // A clone of a mounted guest repeats what that had reported before it was saved.
    events: record.start.kind === 'mounted' ? withoutInherited(events) : events,
  };
}

async function observedIn(directory: string): Promise<Pick<Observed, 'console' | 'events'>> {
  const text = await readFile(join(directory, 'events.jsonl'), 'utf8');
  const events = text.split('\n').filter(Boolean).map(withoutTime);
  return { console: await readFile(join(directory, 'console.log')), events };
}

/** The time is the host's. */
function withoutTime(line: string): string {
  const { at: _, ...event } = JSON.parse(line) as Record<string, unknown>;
  return JSON.stringify(event);
}

function withoutInherited(events: readonly string[]): string[] {
  const begin = events.findIndex((event) => event.startsWith('{"event":"begin"'));
  return events.slice(Math.max(begin, 0));
}
