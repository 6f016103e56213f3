import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Unit } from '../plan/unit.js';
import { sha256Of } from '../sha256.js';
import { programDirectory, version } from '../version.js';

/** Hashes that tie a result to its unit, its inputs and the program. */

/**
 * The hash of a unit and of all that decides its result.
 *
 * @param inputs hashes of the kernel, the guest image and the module, and the settings of the run
 */
export function unitIdentity(unit: Unit, inputs: string): string {
  return sha256Of(`unit 1\n${inputs}\n${canonical(unit)}\n`);
}

/** JSON with sorted keys, so that equal values give equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(entries);
  });
}

let own: string | undefined;

/** The hash of this program: results of another one might judge differently. */
export function programHash(): string {
  own ??= sha256Of(
    [version(), ...programFiles().map(({ content }) => sha256Of(content))].join('\n'),
  );
  return own;
}

/** The files of the built program, sorted by name. Empty if it runs from its sources. */
export function programFiles(): { name: string; content: Buffer }[] {
  const directory = fileURLToPath(programDirectory);
  const names = readdirSync(directory).filter((name) => /\.js$/.test(name));
  return names.sort().map((name) => ({ name, content: readFileSync(join(directory, name)) }));
}
