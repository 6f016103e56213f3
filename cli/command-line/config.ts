import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro config`: its arguments and options. */
export function defineConfig(program: Command, commandLine: () => Command): void {
  const config = program
    .command('config')
    .summary('what is in force, and where it comes from')
    .description(
      'Shows the value of each option of a command and where it comes from: a flag, the environment, a line of a file, or the default.',
    )
    .argument('[command...]', 'a command line, which is not run (default: run)')
    .option('--json', 'as JSON on stdout; before the command')
    // What stands after the command is the command's.
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (words, options) => {
      const { configCommand } = await import('../commands/config.js');
      await finish(configCommand(commandLine(), words, options));
    });
  document(config, {
    examples: [
      ['daxrepro config', 'what `daxrepro run` would go by in this directory'],
      ['daxrepro config compare case.yaml', 'with what the case file says'],
      ['daxrepro config run ext4 -g dax --pmem nvdimm', 'what a command line changes'],
      ['daxrepro config --json run', 'for scripts'],
    ],
    details: `
A flag goes before a case file, that before the environment, that before the project's daxrepro.yaml,
and that before the default. daxrepro.yaml is looked for from the working directory upwards. Each of
its keys may also stand in the environment: DAXREPRO_KERNEL for kernel, DAXREPRO_EXCLUDE_FILE for
exclude-file; blanks or commas separate what is a list.`,
    exitCodes: [
      ['0', 'shown'],
      ['2', 'the file, the environment or the command line is wrong, with the place and the fix'],
    ],
  });
}
