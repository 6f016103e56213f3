import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from '../schema.js';
import { packageRoot } from '../version.js';

/** What runs and lies in the guest: this folder of the package. */
export const guestScripts = new URL('guest-scripts/', packageRoot);

const Manifest = z.strictObject({
  programs: z.strictObject({ required: z.array(z.string()), optional: z.array(z.string()) }),
  files: z.array(z.string()),
  directories: z.array(z.string()),
  modules: z.array(z.string()),
});

/** `guest-scripts/image.yaml`, which says itself what its parts mean. */
export type Manifest = z.infer<typeof Manifest>;

const ShellManifest = z.strictObject({
  programs: z.array(z.string()),
  directories: z.array(z.string()),
});

/** What the guest of a session has besides: `guest-scripts/shell.yaml`. */
export function readShellManifest(): z.infer<typeof ShellManifest> {
  return ShellManifest.parse(parse(readFileSync(new URL('shell.yaml', guestScripts), 'utf8')));
}

/** The manifest that this package ships. Throws where it is broken: it is ours. */
export function readManifest(): Manifest {
  return Manifest.parse(parse(readFileSync(new URL('image.yaml', guestScripts), 'utf8')));
}
