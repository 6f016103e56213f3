import { compareVersions } from '../kernel-version.js';
import type { PackageRecord } from './apt.js';

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

/** The names of all packages that `completeSets` looks at, with `*` as in a shell. */
export function packageNames(series: string): string[] {
  return [
    `linux-source-${series}`,
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
      (record) => record.version === version && releaseOf(record.name, series) !== undefined,
    );
    const release = main && releaseOf(main.name, series);
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
 * The release of a plain image. Excludes `cloud` (which has ext4 built in, and so the name "ext2"),
 * `rt`, and metapackages, whose names have no patch level.
 */
function releaseOf(name: string, series: string): string | undefined {
  const release = name.startsWith('linux-image-') ? name.slice('linux-image-'.length) : '';
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
