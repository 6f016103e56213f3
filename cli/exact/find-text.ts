import { failure, type Outcome, success } from '../outcome.js';
import { replayArgv } from './argv.js';
import type { KeptExecution } from './read-record.js';
import { Replayer, type ReplayOptions } from './replayer.js';

/** Shows what a guest printed so far. */
export class ConsoleText {
  #text = '';

  readonly observer = {
    console: (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
    },
    event: () => {},
    filePiece: () => {},
  };

  shows(text: string): boolean {
    return this.#text.includes(Buffer.from(text, 'utf8').toString('latin1'));
  }
}

/** Milliseconds between two looks at the console. */
const INTERVAL = 50;

/**
 * Finds two counts of instructions between which the console shows a text for the first time, with a replay to
 * that point. QEMU does not tell what the guest prints, so the console is read between two looks at the count.
 */
export async function boundsOfText(
  kept: KeptExecution,
  text: string,
  options: ReplayOptions,
): Promise<Outcome<{ before: number; after: number }>> {
  const argv = replayArgv(kept);
  if (!argv.ok) return argv;
  const console = new ConsoleText();
  const replayer = Replayer.start(argv.value, kept.start.get('state'), console.observer, options);
  if (!replayer.ok) return replayer;
  let before = 0;
  let after: number | undefined;
  let tell = () => {};
  const seen = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const timer = setInterval(async () => {
    const count = await replayer.value.count();
    replayer.value.readConsole();
    if (after !== undefined) return;
    if (!console.shows(text)) {
      before = count;
      return;
    }
    after = await replayer.value.count();
    tell();
  }, INTERVAL);
  try {
    const stop = await Promise.race([replayer.value.run(), seen]);
    if (stop?.kind === 'interrupted')
      return failure('interrupted', 'Interrupted', 'Start it again');
    if (after === undefined && console.shows(text)) after = kept.record.execution.instructions;
  } finally {
    clearInterval(timer);
    await replayer.value.end();
  }
  if (after !== undefined) return success({ before, after });
  return failure(
    'usage',
    `The console of the recorded execution does not show ${JSON.stringify(text)}`,
    'Read its console.log, and give a text of one line from there',
  );
}
