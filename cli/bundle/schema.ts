import { z } from '../schema.js';

/** `bundle.json`, the first file of a bundle: what else is in it. */

const text = z.string();

/** What may be shown as it is: no control characters, none that change the direction. */
const plain = text.regex(/^[^\p{Cc}\p{Cf}]{1,500}$/u);

/** One of its kernels: files have its name in theirs, `kernels/001/image`. */
const name = text.regex(/^\d{3}$/);

const moduleSchema = z.object({
  fs: text,
  variant: text,
  /** Of `sent/001.ko`; without it the kernel has that file system in itself. */
  file: name.optional(),
  /** Whether it is sent to the guest, or in its image already. */
  origin: z.enum(['packaged', 'built']).optional(),
});

const kernelSchema = z.object({
  name,
  spec: plain,
  /** The name of a directory, too. */
  release: text.regex(/^\d+\.\d+[\w.+~:-]*$/),
  /** As the run's results have it; nothing is looked up by it. */
  id: text,
  builtIn: z.array(plain),
  absent: z.array(plain),
  /** Why our own module is not among its modules; undefined: it is. */
  missing: plain.optional(),
  modules: z.array(moduleSchema),
});

export type PackedKernel = z.infer<typeof kernelSchema>;
export type PackedModule = z.infer<typeof moduleSchema>;

export const bundleSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text }),
  /** Of the run that it was made of. */
  kind: z.enum(['run', 'compare', 'bisect']),
  /** With --with-kernel. */
  kernels: z.array(kernelSchema).optional(),
  files: z.array(
    z.object({
      name: text,
      sha256: text.regex(/^[0-9a-f]{64}$/),
      bytes: z.number(),
    }),
  ),
});

export type Bundle = z.infer<typeof bundleSchema>;
export const BUNDLE_FILE = 'bundle.json';
