import packages from '../../guest-scripts/packages.yaml';
import { z } from '../schema.js';

/** The packages whose programs `--e2fsprogs` and `--xfsprogs` replace. */

export const PACKAGES = ['e2fsprogs', 'xfsprogs'] as const;
export type PackageName = (typeof PACKAGES)[number];

/** Where the programs of a package come from, checked, before anything is looked up. */
export type PackageSource =
  /** A directory in which `make` built the package. */
  | { type: 'tree'; directory: string }
  /** The newest version of a Debian suite, or the one named; with `orNewest`, if the mirror still has it. */
  | { type: 'suite'; suite: string; version?: string; orNewest?: true }
  /** From a kept run: what its guests got. Nothing is looked up then. */
  | { type: 'kept'; from: string; version: string | undefined; file: string };

export type PackageSources = Partial<Record<PackageName, PackageSource>>;

/** A package as the guest gets it, on top of an image without this package. */
export interface GuestPackage {
  name: PackageName;
  /** `debian:sid=7.2.0-1`; or a tree, with its `git describe` and the first digits of a hash of its programs. */
  from: string;
  /** The version that its programs print. */
  version: string | undefined;
  archive: { file: string; key: string };
  /** From a tree, which another machine does not have. */
  keep: boolean;
}

const Names = z.record(z.string(), z.string());
const Package = z.strictObject({
  programs: z.strictObject({ required: Names, optional: Names }),
  links: Names,
  never: z.array(z.string()),
  files: Names,
  directories: Names,
  libraries: z.strictObject({ names: z.array(z.string()), folders: z.array(z.string()) }),
  version: z.string(),
});

/** `guest-scripts/packages.yaml`; its comments explain its parts. */
export type PackageContents = z.infer<typeof Package>;

let known: Record<PackageName, PackageContents> | undefined;

export function contentsOfPackage(name: PackageName): PackageContents {
  known ??= z.strictObject({ e2fsprogs: Package, xfsprogs: Package }).parse(packages);
  return known[name];
}

/** The names of its programs that guests get. */
export function programsOfPackage(name: PackageName): string[] {
  const { programs, links } = contentsOfPackage(name);
  return [programs.required, programs.optional, links].flatMap((one) => Object.keys(one));
}

/** The package that a program belongs to. */
export function packageWith(program: string): PackageName | undefined {
  return PACKAGES.find((name) =>
    [...programsOfPackage(name), ...contentsOfPackage(name).never].includes(program),
  );
}

/** The package that a file or directory of the guest belongs to. */
export function packageWithFile(path: string): PackageName | undefined {
  return PACKAGES.find((name) => {
    const { files, directories } = contentsOfPackage(name);
    return Object.hasOwn(files, path) || Object.hasOwn(directories, path);
  });
}
