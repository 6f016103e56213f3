import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { peekDebian } from '../kernel/debian.js';
import type { Kernel } from '../kernel/kernel.js';
import { type KernelSpec, parseSpec } from '../kernel/spec.js';
import { runTool } from '../process/child.js';
import type { Store } from '../store/store.js';
import type { FileKeeper } from './file-keeper.js';
import type { RecordedKernel } from './schema.js';

/** Describes a kernel in a way that is valid on other machines. */
export async function describeKernel(
  kernel: Kernel,
  { store }: { store: Store },
  keeper: FileKeeper,
): Promise<RecordedKernel> {
  const { spec, release, id, image, build } = kernel;
  const [{ size }, sha256, parsed] = await Promise.all([
    stat(image),
    sha256Of(image),
    parseSpec(spec),
  ]);
  return {
    ...{ spec, release, id, image: { sha256, bytes: size } },
    ...(build ? { compiler: build.compiler } : {}),
    // A kernel from a bundle is not this machine's kernel of the same name.
    ...(parsed.ok && !kernel.tree ? await origin(parsed.value, { store, release }, keeper) : {}),
  };
}

async function origin(
  spec: KernelSpec,
  { store, release }: { store: Store; release: string },
  keeper: FileKeeper,
): Promise<Pick<RecordedKernel, 'package' | 'tree'>> {
  if (spec.type === 'debian') {
    const known = await peekDebian(spec.kernel, store);
    if (!known) return {};
    return { package: { name: `linux-image-${release}`, version: known.version } };
  }
  if (spec.type === 'src') return treeOf(spec.directory, spec.revision, keeper);
  return {};
}

/** The limit of a kept diff in bytes. The kernel's id identifies trees with larger differences. */
const LARGEST_DIFF = 16 * 2 ** 20;

async function treeOf(
  directory: string,
  revision: string | undefined,
  keeper: FileKeeper,
): Promise<Pick<RecordedKernel, 'tree'>> {
  const git = (...argv: string[]) =>
    runTool(['git', ...argv], {
      cwd: directory,
      // Do not write to the user's repository, not even to its index.
      env: { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' },
    });
  const named = await git('rev-parse', '--verify', '--quiet', `${revision ?? 'HEAD'}^{commit}`);
  if (!named.ok) return {};
  const tree = { commit: named.stdout.trim() };
  if (revision !== undefined) return { tree };
  const changed = await git(
    'diff',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--binary',
    'HEAD',
  );
  if (!changed.ok || changed.stdout === '' || changed.stdout.length > LARGEST_DIFF) return { tree };
  await keeper.write(Buffer.from(`${changed.stdout}\n`), 'tree.diff');
  return { tree: { ...tree, diff: 'tree.diff' } };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
