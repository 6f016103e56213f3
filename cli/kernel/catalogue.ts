import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from '../schema.js';
import { packageRoot } from '../version.js';

/**
 * `kernels/catalogue.yaml`: which kernels Debian has, and where. Its comments explain the fields.
 */

const releaseSchema = z.strictObject({
  codename: z.string().min(1),
  suites: z.array(z.string().min(1)).min(1),
});

const kernelSchema = z.strictObject({
  version: z.string().regex(/^\d+\.\d+$/),
  releases: z.array(releaseSchema).min(1),
  lacksDax: z.array(z.enum(['ext2', 'ext4', 'xfs'])).default([]),
});

const catalogueSchema = z.strictObject({ kernels: z.array(kernelSchema).min(1) });

export type CatalogueRelease = z.infer<typeof releaseSchema>;
export type CatalogueKernel = z.infer<typeof kernelSchema>;

/** The catalogue is part of this program, so an error in it is a bug and throws. */
export async function readCatalogue(
  file: URL = new URL('kernels/catalogue.yaml', packageRoot),
): Promise<CatalogueKernel[]> {
  return catalogueSchema.parse(parse(await readFile(file, 'utf8'))).kernels;
}
