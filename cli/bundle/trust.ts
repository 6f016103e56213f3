import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeptInputs } from '../inputs/read.js';
import { failure, type Outcome, success } from '../outcome.js';
import { isSemantic, stepsOf } from '../variant/changes.js';
import { pathsOf } from '../variant/patch.js';

/**
 * What of a stranger's inputs could run something on this machine, and not only in a guest. Code of a
 * file system is compiled here and run there. But make runs what make files say, a kernel's build runs
 * programs of its own tree, a configuration is read by make, and spatch runs scripts of semantic patches.
 */

/** The only files that a stranger's patch may change: nothing of them runs when they are built. */
const HARMLESS = /^fs\/(?:ext2|ext4|xfs)\/(?:[\w-]+\/)*[\w-]+\.[ch]$/;

/**
 * Coccinelle's ways to run code of its own: scripts, also as constraints of what is matched, initialize and
 * finalize (Coccinelle's grammar of SmPL); and options or files that it takes from the patch. A word of
 * these in a comment is refused as well: telling comments apart is not worth being wrong once.
 */
const SCRIPTS =
  /\b(?:script|initialize|finalize|python|ocaml)\b|^\s*#\s*(?:spatch|include)\b|\busing\b/im;

/**
 * @param ownKernel whether the user names a kernel: that one is the user's to trust
 * @returns why a stranger's inputs are refused; nothing where they are harmless
 */
export async function checkTrust(
  { inputs, directory }: KeptInputs,
  { ownKernel = false, signal }: { ownKernel?: boolean; signal?: AbortSignal } = {},
): Promise<Outcome<undefined>> {
  for (const { kconfig, cc, kernel } of inputs.requests) {
    if (kconfig.length > 0)
      return refuse(`${kconfig[0]} is part of a kernel's configuration, which make reads`);
    if (cc !== undefined) return refuse(`it names the compiler ${JSON.stringify(cc)}`);
    if (!ownKernel && /^(?:src|image):/.test(kernel)) return otherKernel(kernel);
  }
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    const changes = new Set(inputs.requests.flatMap(({ variant }) => variant.changes));
    for (const name of changes) {
      const checked = await checkChange(join(directory, name), name, scratch, signal);
      if (!checked.ok) return checked;
    }
    return success(undefined);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function checkChange(
  file: string,
  name: string,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<Outcome<undefined>> {
  const content = await readFile(file);
  if (isSemantic(file)) {
    const found = SCRIPTS.exec(content.toString('latin1'));
    return found
      ? refuse(
          `${name} has the word ${JSON.stringify(found[0].trim())}: it could have spatch run a script`,
        )
      : success(undefined);
  }
  const steps = await stepsOf({ file, content }, signal);
  if (!steps.ok) return steps;
  for (const step of steps.value) {
    if (step.type !== 'patch') continue;
    const paths = await pathsOf(step, scratch, signal);
    if (!paths.ok) return paths;
    const other = paths.value.find((path) => !HARMLESS.test(path));
    if (other !== undefined) {
      return refuse(
        `${name} changes ${JSON.stringify(other)}, and building that could run something`,
      );
    }
    if (/^(?:new(?: file)? mode|index \S+) (?:12|16)\d{4}\b/m.test(step.text.toString('latin1'))) {
      return refuse(`${name} makes a link`);
    }
  }
  return success(undefined);
}

function refuse(why: string) {
  return failure(
    'usage',
    `This bundle could run programs on this machine, not only in a guest: ${why}`,
    'Look at it (tar -xf unpacks a bundle), and say --trust if whoever made it may do that',
  );
}

function otherKernel(spec: string) {
  return failure(
    'usage',
    `This bundle's run had the kernel ${JSON.stringify(spec)}, which is not in it`,
    'Name yours with --kernel; kernels of inputs/manifest.json says which one it was',
  );
}
