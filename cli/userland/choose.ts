import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HOST_USERLAND, type Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { fetchSuiteUserland, type UserlandContext } from './packages.js';

/** Which userland `--userland` means. */

const FORMS =
  "Give host, debian:SUITE, such as debian:sid, or the directory of another system's files";

/** Checks the form. Fetches nothing. */
export function checkUserlandOption(text: string | undefined): Outcome<string | undefined> {
  if (text === undefined || text === 'host') return success(undefined);
  if (/^debian:[a-z][a-z0-9-]*$/.test(text)) return success(text);
  const path = resolve(text);
  const found = text.includes('/') && statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (found && path !== '/') return success(path);
  return failure('usage', `--userland ${JSON.stringify(text)} is not a userland`, FORMS);
}

/**
 * The userland. One of a Debian suite is downloaded on first use and unpacked into the cache.
 *
 * @param text as `checkUserlandOption` returned it
 */
export async function chooseUserland(
  text: string | undefined,
  context: UserlandContext,
): Promise<Outcome<Userland>> {
  if (text === undefined) return success(HOST_USERLAND);
  if (text.startsWith('debian:')) return fetchSuiteUserland(text, context);
  return success({ name: text, root: text });
}
