import type { Command } from 'commander';
import { collect, finish } from './define.js';

/** `daxrepro kernel`: its arguments and options. */
export function defineKernel(program: Command): void {
  const kernel = program
    .command('kernel')
    .summary('the kernels that can be run')
    .description('Finds, fetches and builds kernels.');
  kernel
    .command('list')
    .description('Lists the packaged kernels, and those that are in the cache.')
    .option('--json', 'as JSON on stdout')
    .action(async (options) => {
      const { kernelListCommand } = await import('../commands/kernel.js');
      await finish(kernelListCommand(options));
    });
  kernel
    .command('path')
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
  kernel
    .command('build')
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
}
