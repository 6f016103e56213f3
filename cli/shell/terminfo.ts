import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The compiled terminfo entry of our terminal. It is sent to the guest, because the guest image does not
 * have the entries of all terminals.
 */
export interface TerminalType {
  /** For $TERM in the guest. */
  name: string;
  /** Hexadecimal; empty if this machine has no entry. */
  entry: string;
}

/** Bytes. Limit of terminfo(5) with extended numbers. */
const LARGEST = 32 * 1024;

export function terminalType(
  name: string | undefined = process.env['TERM'],
  directories: readonly string[] = terminfoDirectories(),
): TerminalType {
  // The name becomes a file name here and in the guest.
  if (name === undefined || !/^[A-Za-z0-9][A-Za-z0-9+._-]{0,60}$/.test(name)) return DUMB;
  const [first = ''] = name;
  const folders = [first, first.charCodeAt(0).toString(16)];
  for (const directory of directories) {
    for (const folder of folders) {
      const entry = readEntry(join(directory, folder, name));
      if (entry) return { name, entry: entry.toString('hex') };
    }
  }
  return DUMB;
}

/** With it, programs write plain lines. */
const DUMB: TerminalType = { name: 'dumb', entry: '' };

function readEntry(file: string): Buffer | undefined {
  try {
    const entry = readFileSync(file);
    return entry.length <= LARGEST ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** The search path of ncurses (terminfo(5), "Fetching Compiled Descriptions"). */
function terminfoDirectories(): string[] {
  const { TERMINFO: own, TERMINFO_DIRS: list } = process.env;
  const usual = ['/etc/terminfo', '/lib/terminfo', '/usr/share/terminfo', '/usr/lib/terminfo'];
  return [
    ...(own ? [own] : []),
    join(homedir(), '.terminfo'),
    ...(list ? list.split(':').filter(Boolean) : []),
    ...usual,
  ];
}
