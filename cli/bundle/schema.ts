import { z } from '../schema.js';

/** `bundle.json`, the first file of a bundle: it lists all other files. */

const text = z.string();

/** Text that is safe to print: no control characters, and none that change the direction. */
const plain = text.regex(/^[^\p{Cc}\p{Cf}]{1,500}$/u);

/** The name of a kernel, which is part of the names of its files: `kernels/001/image`. */
const name = text.regex(/^\d{3}$/);

const moduleSchema = z.object({
  fs: text,
  variant: text,
  /** In a comparison of several kernels: the word of `--kernel`. */
  asked: text.optional(),
  /** The number in `sent/001.ko`; undefined if the file system is built into the kernel. */
  file: name.optional(),
  /** 'built' modules are sent to the guest; 'packaged' ones are in the guest image. */
  origin: z.enum(['packaged', 'built']).optional(),
});

const kernelSchema = z.object({
  name,
  spec: plain,
  /** Also the name of a directory. */
  release: text.regex(/^\d+\.\d+[\w.+~:-]*$/),
  /** The kernel's id in the results of the run; never used for a lookup. */
  id: text,
  builtIn: z.array(plain),
  absent: z.array(plain),
  /** Why daxrepro's own module is missing; undefined if it is not. */
  missing: plain.optional(),
  modules: z.array(moduleSchema),
});

export type PackedKernel = z.infer<typeof kernelSchema>;
export type PackedModule = z.infer<typeof moduleSchema>;

export const bundleSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text }),
  /** The kind of the bundled run. */
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
