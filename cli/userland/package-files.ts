/** The files of a package on this machine. */
export interface PackageFiles {
  /** By name; several names may have one file. */
  programs: ReadonlyMap<string, string>;
  /** By path in the guest. */
  files: ReadonlyMap<string, string>;
  /** The package's own shared libraries, by the names that programs ask for. */
  libraries: readonly string[];
}
