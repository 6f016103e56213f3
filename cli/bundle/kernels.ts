import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cell } from '../compare/plan.js';
import type { PreparedCells } from '../compare/prepare.js';
import { readManifest } from '../guest/manifest.js';
import type { Inputs } from '../inputs/schema.js';
import type { Kernel, KernelContext, ModuleTree } from '../kernel/kernel.js';
import { moduleTree } from '../kernel/module-tree.js';
import { failure, type Outcome, success } from '../outcome.js';
import { numbered } from '../words.js';
import type { Member } from './member.js';
import type { PackedKernel, PackedModule } from './schema.js';

/**
 * Packs the kernels of a run into a bundle, in the form that guests get. A replay then fetches, patches
 * and builds nothing.
 *
 *     kernels/001/image
 *     kernels/001/tree/lib/modules/…   modules in the guest image, including daxrepro's own
 *     kernels/001/sent/001.ko          a file system's module that is sent to the guest
 */
export interface PackedKernels {
  kernels: PackedKernel[];
  members: Member[];
}

/** @param of the prepared kernel and module of a cell; cells that cannot be prepared are left out */
export async function packKernels(
  cells: readonly Cell[],
  of: PreparedCells['of'],
  { kernels: recorded }: Inputs,
  context: KernelContext,
): Promise<Outcome<PackedKernels>> {
  const packed = new Map<string, PackedKernel>();
  const members = new Map<string, Member>();
  for (const { request } of cells) {
    const prepared = of({ request } as Cell);
    if (!prepared.ok) continue;
    const { kernel, module } = prepared.value;
    const was = recorded.find(({ id }) => id === kernel.id);
    if (!was) return notTheSame(kernel, recorded);
    let own = packed.get(kernel.id);
    if (!own) {
      const name = numbered(packed.size);
      const tree = await moduleTree(kernel, readManifest().modules, context);
      if (!tree.ok) return tree;
      for (const one of await membersOf(name, kernel, tree.value)) members.set(one.name, one);
      own = describe(name, kernel, tree.value);
      packed.set(kernel.id, own);
    }
    const { fs, variant, askedKernel: asked } = request;
    const known = own.modules.some(
      (one) => one.fs === fs && one.variant === variant.name && one.asked === asked,
    );
    if (known) continue;
    const sent: PackedModule = {
      fs,
      variant: variant.name,
      ...(asked === undefined ? {} : { asked }),
    };
    if (module) {
      sent.file = numbered(own.modules.length);
      sent.origin = module.origin;
      const member = `kernels/${own.name}/sent/${sent.file}.ko`;
      members.set(member, { name: member, content: module.file });
    }
    own.modules.push(sent);
  }
  if (packed.size > 0) {
    return success({ kernels: [...packed.values()], members: [...members.values()] });
  }
  return failure(
    'usage',
    'None of the kernels of this run can be prepared on this machine',
    'Bundle it without --with-kernel',
  );
}

function describe(
  name: string,
  { spec, release, id }: Kernel,
  { builtIn, absent, witness }: ModuleTree,
): PackedKernel {
  const { missing } = witness;
  return { name, spec, release, id, builtIn, absent, ...(missing ? { missing } : {}), modules: [] };
}

async function membersOf(name: string, kernel: Kernel, tree: ModuleTree): Promise<Member[]> {
  const place = join('lib/modules', kernel.release);
  const files = kernel.modules
    ? await readdir(join(tree.directory, place), { recursive: true, withFileTypes: true })
    : [];
  return [
    { name: `kernels/${name}/image`, content: kernel.image },
    ...files
      .filter((file) => file.isFile())
      .map((file) => {
        const content = join(file.parentPath, file.name);
        return { name: `kernels/${name}/tree${content.slice(tree.directory.length)}`, content };
      }),
  ];
}

function notTheSame({ spec, id }: Kernel, recorded: Inputs['kernels']) {
  const then = recorded.map((one) => `${one.release}, ${one.id}`).join(' and ');
  return failure(
    'usage',
    `${spec} is now another kernel (${id}) than in this run (${then})`,
    'Bundle it without --with-kernel: the bundle then names the kernel of the run',
  );
}
