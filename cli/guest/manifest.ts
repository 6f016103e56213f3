import image from '../../guest-scripts/image.yaml';
import shell from '../../guest-scripts/shell.yaml';
import { z } from '../schema.js';
import { packageRoot } from '../version.js';

/** Everything that runs in the guest: this folder of the package. */
export const guestScripts = new URL('guest-scripts/', packageRoot);

const Manifest = z.strictObject({
  programs: z.strictObject({ required: z.array(z.string()), optional: z.array(z.string()) }),
  files: z.array(z.string()),
  directories: z.array(z.string()),
  modules: z.array(z.string()),
});

/** `guest-scripts/image.yaml`; its comments explain its parts. */
export type Manifest = z.infer<typeof Manifest>;

const ShellManifest = z.strictObject({
  programs: z.array(z.string()),
  directories: z.array(z.string()),
});

/** Additional programs for the guest of a session: `guest-scripts/shell.yaml`. */
export function readShellManifest(): z.infer<typeof ShellManifest> {
  return ShellManifest.parse(shell);
}

/** The manifest that this package ships. Throws if it is broken, because it is ours. */
export function readManifest(): Manifest {
  return Manifest.parse(image);
}
