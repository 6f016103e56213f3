import { basename, dirname } from 'node:path';
import { escapeForTerminal } from '../findings/escape.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { shellQuote } from '../shell-quote.js';

/** Where results' files are, and the command that makes a page of them. Escaped. */
export function describeFiles(...directories: readonly string[]): string[] {
  const parent = defaultRunsDirectory();
  // A run in the default place is known by its name.
  const names = directories.map((directory) =>
    shellQuote(dirname(directory) === parent ? basename(directory) : directory),
  );
  return [
    ...directories.map((directory) => `files    ${escapeForTerminal(directory)}`),
    `report   daxrepro report ${escapeForTerminal(names.join(' '))} --output report.html`,
  ];
}
