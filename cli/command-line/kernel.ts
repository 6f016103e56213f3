import type { Command } from 'commander';
import { collect, finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro kernel`: its arguments and options. */
export function defineKernel(program: Command): void {
  const kernel = program
    .command('kernel')
    .summary('the kernels that can be run')
    .description('Finds, fetches and builds kernels.');
  const list = kernel
    .command('list')
    .summary('what --kernel takes')
    .description('Lists the packaged kernels, and those that are in the cache.')
    .option('--json', 'as JSON on stdout')
    .action(async (options) => {
      const { kernelListCommand } = await import('../commands/kernel.js');
      await finish(kernelListCommand(options));
    });
  const path = kernel
    .command('path')
    .summary("the path of a kernel's image")
    .description(
      "Prints the path of a kernel's image and nothing else; fetches or builds it where needed.",
    )
    .argument('<spec>', 'as for run --kernel')
    .option('--cc <compiler>', 'as for run')
    .option('--kconfig <file>', 'as for run (repeatable)', collect)
    .action(async (spec, options) => {
      const { kernelPathCommand } = await import('../commands/kernel.js');
      await finish(kernelPathCommand(spec, options));
    });
  const build = kernel
    .command('build')
    .summary('fetch or build a kernel and its modules')
    .description('Fetches or builds a kernel, and builds the file-system modules that it lacks.')
    .argument('<spec>', 'as for run --kernel')
    .option('--cc <compiler>', 'as for run')
    .option('--kconfig <file>', 'as for run (repeatable)', collect)
    .option('--refresh', 'look for a newer package')
    .option('--json', 'as JSON on stdout')
    .action(async (spec, options) => {
      const { kernelBuildCommand } = await import('../commands/kernel.js');
      await finish(kernelBuildCommand(spec, options));
    });
  const exitCodes = [
    ['0', 'it is there'],
    ['2', 'there is no such kernel, and what is near'],
    ['3', 'it could not be fetched or built, and why'],
  ] as const;
  document(kernel, {
    examples: [
      ['daxrepro kernel list', 'what --kernel takes, and what is in the cache'],
      ['daxrepro kernel build debian:6.12', 'fetch it now, for work without a network'],
    ],
  });
  document(list, { examples: [['daxrepro kernel list', 'what --kernel takes']] });
  document(path, {
    examples: [['file "$(daxrepro kernel path debian:6.1)"', 'nothing but the path on stdout']],
    exitCodes,
  });
  document(build, {
    examples: [
      ['daxrepro kernel build debian:6.12', 'fetch it now, for work without a network'],
      ['daxrepro kernel build src:$HOME/linux --cc gcc-9', 'an old tree, by an old compiler'],
      ['daxrepro kernel build debian:6.1 --refresh', "the mirror's newest package"],
    ],
    exitCodes,
  });
}
