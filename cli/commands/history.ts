import { extname, resolve } from 'node:path';
import { historyOf } from '../history/history.js';
import { readHistory } from '../history/read.js';
import { parseCount } from '../options.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { formatHistory } from '../report/history-text.js';
import { formatHistoryPage } from '../report/html/history.js';
import { writeReport } from '../report/write-file.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { formatBytes, plural } from '../words.js';
import { explain, terminalWidth } from './session.js';

export interface HistoryOptions {
  last?: string;
  byKernel?: boolean;
  output?: string;
  json?: boolean;
}

/**
 * `daxrepro history [DIR]`. Returns 0 if the history was written, whatever the results are; 2 if there
 * are no runs, or the file cannot be written.
 */
export function historyCommand(
  directory: string | undefined,
  options: HistoryOptions,
  argv: string[],
): number {
  const { last, byKernel = false, output, json } = options;
  const page = isPage(output);
  if (json && page) {
    return explain(
      failure('usage', '--json and a file for HTML', 'Leave out --json, or name a file FILE.json')
        .failure,
    );
  }
  const limit: Outcome<number | undefined> =
    last === undefined ? success(undefined) : parseCount('--last', last, 1, 1_000_000);
  if (!limit.ok) return explain(limit.failure);
  const kept = readHistory(resolve(directory ?? defaultRunsDirectory()), limit.value);
  if (!kept.ok) return explain(kept.failure);
  const history = historyOf(kept.value, { byKernel, command: argv });
  const width = output === undefined ? terminalWidth() : 100;
  const text = json
    ? JSON.stringify(history, null, 2)
    : page
      ? formatHistoryPage(history)
      : formatHistory(history, { width });
  if (output === undefined) {
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  }
  const written = writeReport(output, `${text}\n`);
  if (!written.ok) return explain(written.failure);
  const skipped = history.leftOut.length;
  process.stderr.write(
    `daxrepro: ${output}: ${plural(history.runs.length, 'run')}, ${formatBytes(Buffer.byteLength(text) + 1)}${skipped > 0 ? `; not counted, but named there: ${skipped}` : ''}\n`,
  );
  return EXIT.ok;
}

function isPage(output: string | undefined): boolean {
  return output !== undefined && /^\.html?$/i.test(extname(output));
}
