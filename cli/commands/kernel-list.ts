import { alignColumns } from '../columns.js';
import { readCatalogue } from '../kernel/catalogue.js';
import { peekDebian } from '../kernel/debian.js';
import { success } from '../outcome.js';
import type { Store } from '../store/store.js';
import { completeContext, type KernelCommandContext } from './kernel.js';

/** `kernel list`: prints the values that `--kernel` takes, and which packages are in the cache. */
export async function kernelListCommand(
  { json = false }: { json?: boolean },
  context: KernelCommandContext = {},
): Promise<number> {
  const { store, done } = completeContext(context);
  const kernels = await packagedKernels(store);
  return done(
    success(
      json ? JSON.stringify({ schemaVersion: 1, kernels }, null, 2) : toTable(kernels).join('\n'),
    ),
  );
}

type PackagedKernel = Awaited<ReturnType<typeof packagedKernels>>[number];

async function packagedKernels(store: Store) {
  return Promise.all(
    readCatalogue().map(async (kernel) => {
      const cached = await peekDebian(kernel, store);
      return {
        spec: `debian:${kernel.version}`,
        suites: [...new Set(kernel.releases.map(({ codename }) => codename))],
        release: cached?.release ?? null,
        version: cached?.version ?? null,
        lacksDax: kernel.lacksDax,
      };
    }),
  );
}

function toTable(kernels: readonly PackagedKernel[]): string[] {
  const versions = kernels.map(({ spec }) => spec.replace('debian:', ''));
  return alignColumns([
    ...kernels.map(({ spec, suites, release, version, lacksDax }) => [
      spec,
      `Debian ${suites.join(', ')}`,
      [
        release === null ? 'downloaded on first use' : `${release} (${version}) in the cache`,
        ...(lacksDax.length === 0 ? [] : [`no DAX in ${lacksDax.join(', ')}`]),
      ].join('; '),
    ]),
    ['debian:X.Y', 'another one', 'any suite of the mirror is searched'],
    ['debian:X.Y=VERSION', 'the same', 'one version of the packages'],
    ['debian:SUITE', 'a suite', 'its newest kernel: debian:sid, debian:experimental'],
    [
      'debsrc:X.Y',
      "Debian's sources",
      `${versions.join(', ')} and others, built with daxrepro's configuration`,
    ],
    [
      'src:DIR[@REV]',
      'your own',
      'a kernel tree, as checked out or at a revision, built the same way',
    ],
    [
      'image:BZIMAGE[,MODULES-DIR]',
      'your own',
      'a kernel image, and a directory like its /lib/modules/*',
    ],
    ['host', 'this machine', 'the running kernel'],
  ]);
}
