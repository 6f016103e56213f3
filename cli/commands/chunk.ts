import { resolve } from 'node:path';
import { runChunk } from '../chunks/run-chunk.js';
import { parseCount } from '../options.js';
import { EXIT, exitCodeOf, success } from '../outcome.js';
import { defaultStore } from '../store/store.js';
import { plural } from '../words.js';
import { explain, inSession, print } from './session.js';

export interface ChunkOptions {
  jobs?: string;
  json?: boolean;
}

/** `daxrepro chunk DIR N`: its help lists the exit codes. */
export async function chunkCommand(
  name: string,
  number: string,
  { jobs, json }: ChunkOptions,
): Promise<number> {
  const wanted = parseCount('The chunk', number, 1, 1_000_000);
  if (!wanted.ok) return explain(wanted.failure);
  const guests = jobs === undefined ? success(undefined) : parseCount('--jobs', jobs, 1, 512);
  if (!guests.ok) return explain(guests.failure);
  return inSession(async (session) => {
    const { reporter, signal } = session;
    const progress = reporter.progress.bind(reporter);
    const context = { store: defaultStore(), progress, signal, reporter };
    const ran = await runChunk(resolve(name), wanted.value, guests.value, context);
    reporter.end();
    // The machine is to blame, unless the request is.
    if (!ran.ok) return signal.aborted ? EXIT.interrupted : endWith(ran.failure);
    const { units, before, missing, problem } = ran.value;
    const done = plural(units - missing, 'unit');
    const rest = missing > 0 ? `, ${missing} without: ${problem ?? 'see above'}` : '';
    const text = `Chunk ${wanted.value}: ${done} with a result (${before} from before)${rest}`;
    print(json ? { chunk: wanted.value, ...ran.value } : text);
    if (signal.aborted) return EXIT.interrupted;
    return missing === 0 ? EXIT.ok : EXIT.noVerdict;
  });

  function endWith(failed: Parameters<typeof exitCodeOf>[0]): number {
    explain(failed);
    return exitCodeOf(failed);
  }
}
