import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  PACKAGES,
  type PackageName,
  type PackageSource,
  type PackageSources,
} from '../guest/packages.js';
import { failure, type Outcome, success } from '../outcome.js';
import { findInTree } from './build-tree.js';

const FORM = /^debian:(?<suite>[a-z][a-z0-9-]*)(?:=(?<version>[0-9][A-Za-z0-9.+~:-]*))?$/;

/** Checks `--e2fsprogs` and `--xfsprogs`. Fetches nothing. */
export function checkPackageOption(
  name: PackageName,
  text: string | undefined,
): Outcome<PackageSource | undefined> {
  if (text === undefined) return success(undefined);
  const { suite, version } = FORM.exec(text)?.groups ?? {};
  if (suite !== undefined) {
    return success({ type: 'suite', suite, ...(version === undefined ? {} : { version }) });
  }
  const directory = resolve(text);
  if (text === '' || !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    return failure(
      'usage',
      `--${name} ${JSON.stringify(text)} is neither a directory nor a suite of Debian`,
      `Give the directory in which make built ${name}, or debian:SUITE[=VERSION], such as debian:sid`,
    );
  }
  const found = findInTree(name, directory);
  return found.ok ? success({ type: 'tree', directory }) : found;
}

/** Checks what a run has kept, which may come from a stranger: the name of a suite goes to apt. */
export function checkKeptPackages(packages: PackageSources): Outcome<PackageSources> {
  for (const name of PACKAGES) {
    const source = packages[name];
    if (source?.type !== 'suite') continue;
    const { suite, version } = source;
    const word = `debian:${suite}${version === undefined ? '' : `=${version}`}`;
    if (FORM.test(word)) continue;
    return failure(
      'unreadable',
      `The run has kept no package ${JSON.stringify(word)} of ${name}`,
      'Give the unchanged directory of a run',
    );
  }
  return success(packages);
}
