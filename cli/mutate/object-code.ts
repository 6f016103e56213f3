import { readFile } from 'node:fs/promises';
import { readElf } from '../kernel/elf.js';
import { sha256Of } from '../sha256.js';

/**
 * Sections that tell about a build but are never executed or read by the module: its hash and version, debugging
 * information, and the names of symbols.
 */
const IGNORED =
  /^(?:\.modinfo|\.note.*|\.comment|(?:\.rela)?\.debug.*|\.BTF.*|\.(?:str|shstr|sym)tab|)$/;

/**
 * Identifies what a module does: the hash of its code, its data, and their relocations. Two modules with the same one
 * behave the same.
 *
 * @returns undefined if the file is no object file
 */
export async function objectCode(file: string): Promise<string | undefined> {
  const elf = readElf(await readFile(file));
  if (!elf) return undefined;
  const sections = [...elf.sections]
    .filter(([name]) => !IGNORED.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256Of(sections.map(([name, content]) => `${name} ${sha256Of(content)}`).join('\n'));
}
