import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeptInputs } from '../inputs/read.js';
import { failure, type Outcome, success } from '../outcome.js';
import { needsBuild } from '../suite/xfstests/paths.js';
import { type ChangeFile, isSemantic, stepsOf } from '../variant/changes.js';
import { pathsOf } from '../variant/patch.js';

/**
 * Checks whether a stranger's inputs could run programs on this machine, outside of a guest. Code of a
 * file system is harmless: it is compiled here, but runs in the guest. But make runs commands from make
 * files, a kernel build runs programs of its own tree, make reads the configuration, and spatch runs
 * scripts in semantic patches.
 */

/** The only files that a stranger's patch may change: building them runs none of their code. */
const HARMLESS = /^fs\/(?:ext2|ext4|xfs)\/(?:[\w-]+\/)*[\w-]+\.[ch]$/;

/**
 * The ways to run code from Coccinelle: scripts (also as constraints of metavariables), initialize and
 * finalize (see its grammar of SmPL), and options or files named in the patch. These words are rejected
 * in comments too: recognising comments is not worth the risk of a mistake.
 */
const SCRIPTS =
  /\b(?:script|initialize|finalize|python|ocaml)\b|^\s*#\s*(?:spatch|include)\b|\busing\b/im;

/**
 * @param ownKernel whether the user gave a kernel, and so trusts it
 * @returns a failure that says why the inputs are rejected; success if they are harmless
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
          `${name} has the word ${JSON.stringify(found[0].trim())}, with which spatch could run a script`,
        )
      : success(undefined);
  }
  return checkPatch({ file, content }, name, {
    scratch,
    signal,
    isHarmless: (path) => HARMLESS.test(path),
  });
}

/**
 * Checks what a stranger adds to an xfstests tree. Tests run in the guest; but a change to anything that is
 * built starts make, which runs commands from make files. A kernel in the bundle does not make that harmless.
 */
export async function checkSuiteTrust(
  { inputs, directory }: KeptInputs,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Outcome<undefined>> {
  const patches = (inputs.suiteChanges ?? []).filter(({ type }) => type === 'patch');
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    for (const { file: name } of patches) {
      const file = join(directory, name);
      const isHarmless = (path: string) => !needsBuild(path);
      const how = { scratch, signal, isHarmless, whole: true };
      const checked = await checkPatch({ file, content: await readFile(file) }, name, how);
      if (!checked.ok) return checked;
    }
    return success(undefined);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function checkPatch(
  file: ChangeFile,
  name: string,
  { scratch, signal, isHarmless, whole = false }: PatchCheck,
): Promise<Outcome<undefined>> {
  const steps = await stepsOf(file, signal);
  if (!steps.ok) return steps;
  for (const step of steps.value) {
    if (step.type !== 'patch') continue;
    const paths = await pathsOf(step, scratch, signal, whole);
    if (!paths.ok) return paths;
    const other = paths.value.find((path) => !isHarmless(path));
    if (other !== undefined) {
      return refuse(
        `${name} changes ${JSON.stringify(other)}, and building that could run commands`,
      );
    }
    if (/^(?:new(?: file)? mode|index \S+) (?:12|16)\d{4}\b/m.test(step.text.toString('latin1'))) {
      return refuse(`${name} creates a link`);
    }
  }
  return success(undefined);
}

interface PatchCheck {
  scratch: string;
  signal: AbortSignal | undefined;
  isHarmless: (path: string) => boolean;
  whole?: boolean;
}

function refuse(why: string) {
  return failure(
    'usage',
    `This bundle could run programs on this machine, not only in a guest: ${why}`,
    'Examine it (tar -xf unpacks a bundle), and give --trust if you trust its author',
  );
}

function otherKernel(spec: string) {
  return failure(
    'usage',
    `The run used the kernel ${JSON.stringify(spec)}, which is not in this bundle`,
    'Give your own kernel with --kernel; `kernels` in inputs/manifest.json describes the original one',
  );
}
