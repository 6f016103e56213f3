import { basename, dirname } from 'node:path';
import { escapeForTerminal } from '../findings/escape.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { shellQuote } from '../shell-quote.js';

/** The directories of results, and the command that makes an HTML report. Escaped. */
export function describeFiles(...directories: readonly string[]): string[] {
  const parent = defaultRunsDirectory();
  // A run in the default directory can be named without its path.
  const names = directories.map((directory) =>
    shellQuote(dirname(directory) === parent ? basename(directory) : directory),
  );
  return [
    ...directories.map((directory) => `files    ${escapeForTerminal(directory)}`),
    `report   daxrepro report ${escapeForTerminal(names.join(' '))} --output report.html`,
  ];
}
