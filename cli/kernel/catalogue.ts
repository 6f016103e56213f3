import catalogue from '../../kernels/catalogue.yaml';
import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { atLeast } from '../kernel-version.js';
import { z } from '../schema.js';

/**
 * `kernels/catalogue.yaml`: which kernels Debian has, and where. Its comments explain the fields.
 */

const releaseSchema = z.strictObject({
  codename: z.string().min(1),
  suites: z.array(z.string().min(1)).min(1),
});

const seriesSchema = z.string().regex(/^\d+\.\d+$/);

const kernelSchema = z.strictObject({
  version: seriesSchema,
  releases: z.array(releaseSchema).min(1),
});

const catalogueSchema = z.strictObject({
  kernels: z.array(kernelSchema).min(1),
  suites: z.array(z.string().min(1)).min(1),
  daxRemoved: z.partialRecord(z.enum(FILE_SYSTEMS), seriesSchema),
});

export type CatalogueRelease = z.infer<typeof releaseSchema>;
export type CatalogueKernel = z.infer<typeof kernelSchema> & {
  /** File systems whose code in this series has no DAX any more. */
  lacksDax: FileSystem[];
};

/** A packaged kernel as `--kernel` names it. */
export interface DebianKernel extends CatalogueKernel {
  /** The suite that is asked for its newest kernel. The series is then empty until the mirror has said it. */
  suite?: string;
  /** The version of the packages, `7.2.12-1~bpo13+1`. */
  pin?: string;
  /** Whether the mirror has to be asked which suite has it. */
  search?: true;
}

/** Where versions are looked for that the catalogue does not list. */
export function searchedSuites(): string[] {
  return read().suites;
}

/** The catalogue is part of this program, so an error in it is a bug and throws. */
export function readCatalogue(): CatalogueKernel[] {
  const { kernels, daxRemoved } = read();
  return kernels.map((kernel) => ({ ...kernel, lacksDax: without(kernel.version, daxRemoved) }));
}

/** The file systems that have lost their DAX code in this release, `7.2.13+deb14-amd64`. */
export function lacksDaxSince(release: string): FileSystem[] {
  return without(release, read().daxRemoved);
}

function read(): z.infer<typeof catalogueSchema> {
  return catalogueSchema.parse(catalogue);
}

function without(
  release: string,
  removed: z.infer<typeof catalogueSchema>['daxRemoved'],
): FileSystem[] {
  return FILE_SYSTEMS.filter((fs) => {
    const since = removed[fs];
    return since !== undefined && atLeast(release, since);
  });
}
