import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { type DebianKernel, lacksDaxSince, readCatalogue, searchedSuites } from './catalogue.js';
import { versionOf } from './source-tree.js';

/** A parsed argument of `--kernel`. */
export type KernelSpec =
  | { type: 'debian'; kernel: DebianKernel }
  | { type: 'debsrc'; kernel: DebianKernel }
  | { type: 'src'; directory: string; revision?: string }
  | { type: 'image'; image: string; modules?: string }
  | { type: 'host' };

const FORMS =
  'debian:X.Y or debian:SUITE, debsrc:X.Y, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR] or host';

export async function parseSpec(spec: string): Promise<Outcome<KernelSpec>> {
  const colon = spec.indexOf(':');
  const [scheme, rest] = colon < 0 ? [spec, ''] : [spec.slice(0, colon), spec.slice(colon + 1)];
  switch (colon < 0 && scheme !== 'host' ? '' : scheme) {
    case 'host':
      if (colon < 0) return success({ type: 'host' });
      return usage(spec, 'host takes no argument', 'Write `--kernel host`');
    case 'debian':
      return parseDebian(spec, 'debian', rest);
    case 'debsrc':
      return parseDebian(spec, 'debsrc', rest);
    case 'image':
      return parseImage(spec, rest);
    case 'src':
      return parseSource(spec, rest);
    default:
      return unknownForm(spec, scheme, rest);
  }
}

function parseDebian(spec: string, type: 'debian' | 'debsrc', rest: string): Outcome<KernelSpec> {
  const [, version = '', pin] = /^([^=]*)(?:=(.*))?$/.exec(rest) ?? [];
  const kernels = readCatalogue();
  const kernel = kernels.find((one) => one.version === version);
  const pinned = pin === undefined ? {} : { pin };
  // A version of Debian's packages: deb-version(7).
  const valid = pin === undefined || /^\d[\w.+~:-]*$/.test(pin);
  if (kernel && pin === undefined) return success({ type, kernel });
  if (/^\d+\.\d+$/.test(version) && valid) {
    const all = { codename: 'debian', suites: searchedSuites() };
    const releases = [...(kernel?.releases ?? []), all];
    const lacksDax = lacksDaxSince(version);
    return success({ type, kernel: { version, ...pinned, search: true, releases, lacksDax } });
  }
  if (/^[a-z][a-z0-9-]*$/.test(version) && pin === undefined) {
    const releases = [{ codename: version, suites: suitesOf(version) }];
    return success({ type, kernel: { version: '', suite: version, releases, lacksDax: [] } });
  }
  const specs = kernels.map((one) => `${type}:${one.version}`);
  return usage(
    spec,
    version === '' ? 'the version is missing' : 'that is neither X.Y, X.Y=VERSION nor a suite',
    `There are ${specs.join(', ')}, other versions, and suites such as ${type}:sid`,
  );
}

/** A stable suite gets its newer kernels from two others. */
function suitesOf(suite: string): string[] {
  const alone = /-|^(?:sid|unstable|experimental|rc-buggy|testing)$/.test(suite);
  return alone ? [suite] : [suite, `${suite}-updates`, `${suite}-security`];
}

/** `DIR` or `DIR@REV`. If DIR itself contains an @, what exists on disk decides. */
async function parseSource(spec: string, rest: string): Promise<Outcome<KernelSpec>> {
  if (rest === '') return usage(spec, 'the directory is missing', 'Write src:DIR or src:DIR@REV');
  const at = rest.lastIndexOf('@');
  const whole = at <= 0 || (await isDirectory(rest));
  const directory = resolve(whole ? rest : rest.slice(0, at));
  const revision = whole ? undefined : rest.slice(at + 1);
  if (revision === '') {
    return usage(spec, 'the revision after @ is missing', 'Write src:DIR@REV, or src:DIR');
  }
  if (!(await isDirectory(directory))) {
    const what = (await stat(directory).catch(() => undefined))
      ? 'is not a directory'
      : 'does not exist';
    return usage(spec, `${directory} ${what}`, 'Give the top directory of a kernel tree');
  }
  // The revision may have files that are not checked out.
  if (revision !== undefined) return success({ type: 'src', directory, revision });
  if (await versionOf(directory)) return success({ type: 'src', directory });
  const above = await kernelAbove(directory);
  return usage(
    spec,
    `${directory} has no kernel Makefile`,
    above
      ? `It lies within the kernel tree ${above}: write src:${above}`
      : 'Give the top directory of a kernel tree',
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function kernelAbove(directory: string): Promise<string | undefined> {
  for (let above = dirname(directory); above !== dirname(above); above = dirname(above)) {
    if (await versionOf(above)) return above;
  }
  return undefined;
}

function parseImage(spec: string, rest: string): Outcome<KernelSpec> {
  const [image = '', modules, ...more] = rest.split(',');
  if (image === '' || modules === '' || more.length > 0) {
    return usage(
      spec,
      image === ''
        ? 'the path of the image is missing'
        : 'it takes one image and at most one directory',
      'Write image:BZIMAGE or image:BZIMAGE,MODULES-DIR',
    );
  }
  return success({ type: 'image', image, ...(modules === undefined ? {} : { modules }) });
}

function unknownForm(spec: string, scheme: string, rest: string): Outcome<KernelSpec> {
  const kernels = readCatalogue().flatMap(({ version }) => [
    `debian:${version}`,
    `debsrc:${version}`,
  ]);
  const near =
    rest === ''
      ? (nearest(spec, [...kernels, 'host']) ?? kernels.find((one) => one.endsWith(`:${spec}`)))
      : undefined;
  const nearScheme =
    rest === '' ? undefined : nearest(scheme, ['debian', 'debsrc', 'src', 'image']);
  const suggestion = near ?? (nearScheme && `${nearScheme}:${rest}`);
  return usage(
    spec,
    'there is no such kind of kernel',
    suggestion ? `Did you mean ${suggestion}? Use ${FORMS}` : `Use ${FORMS}`,
  );
}

function usage(spec: string, why: string, remedy: string) {
  return failure('usage', `Cannot use the kernel "${spec}": ${why}`, remedy);
}

/** The closest candidate to `word`, if they differ by at most two letters. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0] && ranked[0].distance <= 2 ? ranked[0].candidate : undefined;
}

/** The number of letters to insert, delete, change, or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, at(row - 2, column - 2) + 1);
      }
      rows[row]?.push(best);
    }
  }
  return at(a.length, b.length);
}
