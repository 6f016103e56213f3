import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreparedCells } from '../compare/prepare.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { bootImageFor } from '../kernel/local.js';
import { readModuleFacts } from '../kernel/module-file.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { type MachineContext, prepareMachine } from '../run/prepare.js';
import { cacheKey } from '../store/store.js';
import type { Bundle, PackedKernel, PackedModule } from './schema.js';

/**
 * The kernels in a bundle. They come from a stranger, so cache entries are named by the hash of their
 * content: they can never replace another kernel.
 */
export interface BroughtKernels {
  kernels: Kernel[];
  /** The kernel of a request; the first one if the bundle has none for it. */
  kernelFor: (request: RunRequest) => Kernel;
  prepare: (
    accelerator: AcceleratorChoice,
    context: MachineContext & { suite: TreeArchive | undefined },
  ) => Promise<Outcome<PreparedCells>>;
}

/** @param directory of the unpacked bundle, whose hashes were checked */
export async function openKernels(
  { kernels = [], files }: Bundle,
  directory: string,
  context: KernelContext,
): Promise<Outcome<BroughtKernels | undefined>> {
  if (kernels.length === 0) return success(undefined);
  const opened: Opened[] = [];
  for (const packed of kernels) {
    const place = join(directory, 'kernels', packed.name);
    const own = files.filter(({ name }) => name.startsWith(`kernels/${packed.name}/`));
    const one = await openKernel(packed, place, own, context);
    if (!one.ok) return one;
    opened.push(one.value);
  }
  return success({
    kernels: opened.map(({ kernel }) => kernel),
    kernelFor: (request) => openedFor(opened, request).kernel,
    prepare: (accelerator, machine) => prepare(opened, accelerator, machine),
  });
}

interface Opened {
  packed: PackedKernel;
  kernel: Kernel;
  place: string;
}

async function openKernel(
  packed: PackedKernel,
  place: string,
  files: Bundle['files'],
  context: KernelContext,
): Promise<Outcome<Opened>> {
  const { spec, release, builtIn, absent, missing } = packed;
  const image = join(place, 'image');
  const sha256 = files.find(({ name }) => name.endsWith('/image'))?.sha256;
  if (sha256 === undefined || !existsSync(image)) return damaged(`${packed.name} has no image`);
  const content = cacheKey(
    Object.fromEntries(
      files.map(({ name, sha256 }) => [name.split('/').slice(2).join('/'), sha256]),
    ),
  );
  // The guest image is identified by the name of the modules' directory.
  const directory = join(place, content);
  const tree = join(place, 'tree');
  if (existsSync(tree)) await rename(tree, directory);
  else await mkdir(directory);
  const bootImage = await bootImageFor(image, sha256, context);
  if (!bootImage.ok) return bootImage;
  const modules = join(directory, 'lib/modules', release);
  const kernel: Kernel = {
    ...{ spec, release, id: content, image, bootImage: bootImage.value },
    ...(existsSync(modules) ? { modules } : {}),
    tree: { directory, builtIn, absent, witness: missing === undefined ? {} : { missing } },
  };
  return success({ packed, kernel, place });
}

function openedFor(opened: readonly Opened[], { fs, variant, askedKernel }: RunRequest): Opened {
  const wanted = cellKey({ fs, variant: variant.name, asked: askedKernel });
  const own = opened.find(({ packed }) => packed.modules.some((one) => cellKey(one) === wanted));
  const near = opened.find(({ packed }) =>
    packed.modules.some(({ asked }) => asked !== undefined && asked === askedKernel),
  );
  return own ?? near ?? (opened[0] as Opened);
}

async function prepare(
  opened: readonly Opened[],
  accelerator: AcceleratorChoice,
  context: MachineContext & { suite: TreeArchive | undefined },
): Promise<Outcome<PreparedCells>> {
  const { suite } = context;
  const ready = new Map<string, Prepared>();
  let first: Omit<Prepared, 'module'> | undefined;
  for (const { packed, kernel, place } of opened) {
    const machine = await prepareMachine(kernel, accelerator, context, suite ? [suite] : []);
    if (!machine.ok) return machine;
    first ??= machine.value;
    for (const sent of packed.modules) {
      const module = await openModule(sent, place);
      if (!module.ok) return module;
      ready.set(cellKey(sent), { ...machine.value, module: module.value });
    }
  }
  if (!first) throw new Error('the list of kernels is empty');
  return success({
    machine: first,
    kernelFor: (request) => openedFor(opened, request).kernel,
    of: ({ request: { fs, variant, askedKernel } }) => {
      const prepared = ready.get(cellKey({ fs, variant: variant.name, asked: askedKernel }));
      if (prepared) return success(prepared);
      return failure(
        'usage',
        `The bundle has no kernel for ${fs} with ${variant.name}, because it could not be prepared where the bundle was made`,
        'Give your own kernel with --kernel',
      );
    },
  });
}

async function openModule(
  { fs, file, origin }: PackedModule,
  place: string,
): Promise<Outcome<Prepared['module']>> {
  if (file === undefined || origin === undefined) return success(undefined);
  const path = join(place, 'sent', `${file}.ko`);
  const facts = existsSync(path) ? await readModuleFacts(path) : undefined;
  if (!facts?.ok || facts.value.name !== fs)
    return damaged(`its module of ${fs} is not a module of ${fs}`);
  const { name, sha256, buildId, srcversion, dependencies } = facts.value;
  return success({
    ...{ name, file: path, sha256, buildId, origin, dependencies },
    ...(srcversion === undefined ? {} : { srcversion }),
    ...(origin === 'built' ? { bytes: await readFile(path) } : {}),
  });
}

function cellKey({ fs, variant, asked }: Pick<PackedModule, 'fs' | 'variant' | 'asked'>): string {
  return JSON.stringify([fs, variant, asked]);
}

function damaged(why: string) {
  return failure(
    'unreadable',
    `The kernels of the bundle are damaged: ${why}`,
    'Fetch the bundle again, or give your own kernel with --kernel',
  );
}
