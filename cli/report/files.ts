import { escapeForTerminal } from '../findings/escape.js';

/** Where results' files are. Escaped. */
export function describeFiles(...directories: readonly string[]): string[] {
  return directories.map((directory) => `files    ${escapeForTerminal(directory)}`);
}
