import type { Command } from 'commander';
import { collect, finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro kernel`: its arguments and options. */
export function defineKernel(program: Command): void {
  const kernel = program
    .command('kernel')
    .summary('list, download or build kernels')
    .description('Lists, downloads and builds kernels.');
  document(kernel, {
    examples: [
      ['daxrepro kernel list', 'the values of --kernel, and what is in the cache'],
      BUILD_EXAMPLE,
    ],
  });
  defineListing(kernel);
  definePath(kernel);
  defineBuild(kernel);
}

const BUILD_EXAMPLE = [
  'daxrepro kernel build debian:6.12',
  'download it now, to work without a network later',
] as const;

const EXIT_CODES = [
  ['0', 'the kernel is in the cache'],
  ['2', 'there is no such kernel; the message names similar ones'],
  ['3', 'it could not be downloaded or built; the message says why'],
] as const;

function defineListing(kernel: Command): void {
  const list = kernel
    .command('list')
    .summary('list the values of --kernel')
    .description('Lists the packaged kernels and the kernels in the cache.')
    .option('--json', 'print JSON on stdout')
    .action(async (options) => {
      const { kernelListCommand } = await import('../commands/kernel-list.js');
      await finish(kernelListCommand(options));
    });
  document(list, { examples: [['daxrepro kernel list', 'the values of --kernel']] });
}

function definePath(kernel: Command): void {
  const path = kernel
    .command('path')
    .summary("print the path of a kernel's image")
    .description(
      "Prints the path of a kernel's image and nothing else. Downloads or builds the kernel if needed.",
    )
    .argument('<spec>', 'as for run --kernel')
    .option('--cc <compiler>', 'as for run')
    .option('--kconfig <file>', 'as for run (repeatable)', collect)
    .action(async (spec, options) => {
      const { kernelPathCommand } = await import('../commands/kernel.js');
      await finish(kernelPathCommand(spec, options));
    });
  document(path, {
    examples: [['file "$(daxrepro kernel path debian:6.1)"', 'only the path is on stdout']],
    exitCodes: EXIT_CODES,
  });
}

function defineBuild(kernel: Command): void {
  const build = kernel
    .command('build')
    .summary('download or build a kernel and its modules')
    .description('Downloads or builds a kernel, and builds the file-system modules that it lacks.')
    .argument('<spec>', 'as for run --kernel')
    .option('--cc <compiler>', 'as for run')
    .option('--kconfig <file>', 'as for run (repeatable)', collect)
    .option('--refresh', 'check for a newer package')
    .option('--json', 'print JSON on stdout')
    .action(async (spec, options) => {
      const { kernelBuildCommand } = await import('../commands/kernel.js');
      await finish(kernelBuildCommand(spec, options));
    });
  document(build, {
    examples: [
      BUILD_EXAMPLE,
      ['daxrepro kernel build src:$HOME/linux --cc gcc-9', 'an old tree with an old compiler'],
      ['daxrepro kernel build debian:6.1 --refresh', "the mirror's newest package"],
    ],
    exitCodes: EXIT_CODES,
  });
}
