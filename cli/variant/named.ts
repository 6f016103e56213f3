import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearest } from '../nearest.js';
import { failure, type Outcome, success } from '../outcome.js';
import { VARIANT_NAME, type Variant } from './variant.js';

/**
 * Reads a variant from an option: `NAME=FILE[,FILE…]`, or the NAME of one in the project's
 * configuration.
 */
export function readVariant(
  option: string,
  text: string,
  named: readonly Variant[] = [],
): Outcome<Variant> {
  const known = named.find(({ name }) => name === text);
  if (known) return success({ name: known.name, changes: known.changes });
  const [, name = '', list = ''] = /^([^=]*)=(.+)$/.exec(text) ?? [];
  const files = list.split(',');
  if (!VARIANT_NAME.test(name) || files.includes('')) return isNoVariant(option, text, named);
  for (const file of files) {
    const problem = whyUnreadable(file);
    if (problem !== undefined) {
      return failure(
        'usage',
        `${file}, a change of ${name}, ${problem}`,
        'Name a patch, an mbox or a .cocci; commas separate files',
      );
    }
  }
  return success({ name, changes: files.map((file) => resolve(file)) });
}

function isNoVariant(option: string, text: string, named: readonly Variant[]): Outcome<never> {
  const names = named.map(({ name }) => name);
  const near = nearest(text, names);
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
  const configured =
    names.length > 0 ? `; daxrepro.yaml has ${names.join(', ')}` : ', or name it in daxrepro.yaml';
  return failure(
    'usage',
    `${option} ${JSON.stringify(text)} does not name a variant and its files`,
    `${hint}Write ${option} NAME=FILE[,FILE…], such as ${option} v2=v2.patch${configured}`,
  );
}

/** Completes a sentence about the file; undefined if it can be read. */
export function whyUnreadable(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'is not a file';
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  }
}
