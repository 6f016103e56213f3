import type { PackageRecord } from '../debian/apt.js';
import { compareVersions } from '../kernel-version.js';

/** The packages of one version of a packaged kernel. */
export interface KernelPackages {
  /** The packages' version, `6.1.192-2`. */
  version: string;
  /** `6.1.0-56-amd64`. */
  release: string;
  /** The image and its modules: one package, or several in newer releases. */
  image: PackageRecord[];
  /** For the architecture, the common ones, and kbuild's programs. */
  headers: PackageRecord[];
  source: PackageRecord;
  /** The oldest C library that kbuild's programs run with, `2.34`. */
  libc?: string;
}

/** The parts that Debian splits an image into; up to 6.12 all of it is in `linux-image-…`. */
const IMAGE_PARTS = ['image', 'binary', 'modules', 'base'];

/** The series that there are sources of, `7.3`, newest first. */
export function seriesOf(records: readonly PackageRecord[]): string[] {
  const found = records.flatMap(({ name }) => /^linux-source-(\d+\.\d+)$/.exec(name)?.[1] ?? []);
  const number = (series: string) => {
    const [major = 0, minor = 0] = series.split('.').map(Number);
    return major * 10_000 + minor;
  };
  return [...new Set(found)].sort((a, b) => number(b) - number(a));
}

/** The newest image of a series and its version, whether or not its sources are there. */
export function newestImage(series: string, records: readonly PackageRecord[]) {
  const images = records.filter((one) => releaseOf(one, series) !== undefined);
  // Records of one package come newest first, but each release is another package.
  return images.sort((a, b) => compareNumbers(b.version, a.version))[0];
}

/** By the numbers in them, which suffices for versions of one series. */
function compareNumbers(a: string, b: string): number {
  const numbers = (version: string) => (version.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The names of all packages that `completeSets` looks at, with `*` as in a shell.
 *
 * @param series empty for all series
 */
export function packageNames(series: string): string[] {
  return [
    series === '' ? 'linux-source-*' : `linux-source-${series}`,
    ...IMAGE_PARTS.map((part) => `linux-${part}-${series}*-amd64`),
    `linux-headers-${series}*`,
    `linux-kbuild-${series}*`,
  ];
}

/**
 * The versions that a mirror has completely, newest first. A mirror removes old images before old
 * sources, and gets new sources before new images.
 *
 * @param series `6.1`
 * @param records newest first for each package
 */
export function completeSets(series: string, records: readonly PackageRecord[]): KernelPackages[] {
  const find = (name: string, version: string) =>
    records.find((record) => record.name === name && record.version === version);
  const sets: KernelPackages[] = [];
  for (const source of records.filter(({ name }) => name === `linux-source-${series}`)) {
    const { version } = source;
    const main = records.find(
      (record) => record.version === version && releaseOf(record, series) !== undefined,
    );
    const release = main && releaseOf(main, series);
    const specific = release && find(`linux-headers-${release}`, version);
    if (!main || !specific) continue;
    const others = IMAGE_PARTS.map((part) => `linux-${part}-${release}`)
      .filter((name) => main.depends.includes(`${name} `))
      .map((name) => find(name, version));
    const image = [main, ...others].filter((part) => part !== undefined);
    if (image.length !== others.length + 1) continue;
    const [common, kbuild] = ['linux-headers-', 'linux-kbuild-'].map((prefix) => {
      const name = specific.depends.split(/[,|]\s*/).find((other) => other.startsWith(prefix));
      return name && find(name.split(' ')[0] ?? '', version);
    });
    if (!common || !kbuild) continue;
    const libc = kbuild.depends.match(/\blibc6 \(>= ([\d.]+)/)?.[1];
    const headers = [specific, common, kbuild];
    sets.push({ version, release, image, headers, source, ...(libc ? { libc } : {}) });
  }
  return sets;
}

/**
 * The release of a plain image. Excludes `cloud` (which has ext4 built in, and so the name "ext2"), `rt`, and
 * metapackages, whose names have no patch level. A release candidate has none either, but depends on its parts.
 */
function releaseOf({ name, depends }: PackageRecord, series: string): string | undefined {
  const release = name.startsWith('linux-image-') ? name.slice('linux-image-'.length) : '';
  if (release === `${series}-amd64`) {
    return depends.includes(`linux-binary-${release} `) ? release : undefined;
  }
  if (!release.startsWith(`${series}.`)) return undefined;
  return /^\d+\.\d+\.\d+[^-]*(-\d[\w.]*)?-amd64$/.test(release) ? release : undefined;
}

/** Whether programs that need C library version `needed` run with version `present`. */
export function libcSuffices(needed: string | undefined, present: string | undefined): boolean {
  if (needed === undefined || present === undefined) return true;
  return (compareVersions(present, needed) ?? 0) >= 0;
}

/** This machine's C library, `2.36`; undefined if it is not glibc. */
export function hostLibc(): string | undefined {
  const report = process.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime;
}
