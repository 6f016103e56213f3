import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro config`: its arguments and options. */
export function defineConfig(program: Command, commandLine: () => Command): void {
  const config = program
    .command('config')
    .summary('show the settings in effect, and where they come from')
    .description(
      'Shows the value of each option of a command and its source: a flag, the environment, a line of a file, or the default.',
    )
    .argument('[command...]', 'a command line; it is not run (default: run)')
    .option('--json', 'print JSON on stdout; goes before the command')
    // Everything after the command belongs to that command.
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (words, options) => {
      const { configCommand } = await import('../commands/config.js');
      await finish(configCommand(commandLine(), words, options));
    });
  document(config, {
    examples: [
      ['daxrepro config', 'the settings of `daxrepro run` in this directory'],
      ['daxrepro config compare case.yaml', 'including those of a case file'],
      ['daxrepro config run ext4 -g dax --pmem nvdimm', 'what a command line changes'],
      ['daxrepro config --json run', 'for scripts'],
    ],
    details: `
A flag overrides a case file, which overrides the environment, which overrides the project's
daxrepro.yaml, which overrides the default. daxrepro.yaml is searched for from the working directory
upwards. Each of its keys can also be set in the environment: DAXREPRO_KERNEL for kernel,
DAXREPRO_EXCLUDE_FILE for exclude-file. Separate the values of a list by blanks or commas.`,
    exitCodes: [
      ['0', 'the settings were printed'],
      [
        '2',
        'the file, the environment or the command line is wrong; the message says where and how to fix it',
      ],
    ],
  });
}
