import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type GuestPackage, PACKAGES, type PackageSources } from '../guest/packages.js';
import { HOST_USERLAND, type Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { packPackage } from './own-package.js';
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

/** What the options of a request say about the guest's programs. */
export interface AskedPrograms {
  /** As `checkUserlandOption` returned it. */
  userland?: string | undefined;
  packages?: PackageSources | undefined;
}

/** The userland. What comes from a Debian suite is downloaded on first use and unpacked into the cache. */
export async function chooseUserland(
  { userland, packages = {} }: AskedPrograms,
  context: UserlandContext,
): Promise<Outcome<Userland>> {
  const whole = await wholeUserland(userland, context);
  const without = PACKAGES.filter((name) => packages[name] !== undefined);
  if (!whole.ok || without.length === 0) return whole;
  const base = { ...whole.value, without };
  const packed: GuestPackage[] = [];
  for (const name of without) {
    const source = packages[name];
    const one = source && (await packPackage(name, source, base, context));
    if (one && !one.ok) return one;
    if (one) packed.push(one.value);
  }
  return success({ ...base, packages: packed });
}

async function wholeUserland(
  text: string | undefined,
  context: UserlandContext,
): Promise<Outcome<Userland>> {
  if (text === undefined) return success(HOST_USERLAND);
  if (text.startsWith('debian:')) return fetchSuiteUserland(text, context);
  return success({ name: text, root: text });
}
