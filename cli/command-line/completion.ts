import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro completion`, and the hidden `daxrepro complete`, which the completion scripts call. */
export function defineCompletion(program: Command, commandLine: () => Command): void {
  const completion = program
    .command('completion')
    .summary('print a completion script for bash, zsh or fish')
    .description(
      'Prints a script that completes commands, options and their values: file systems, tests, groups, kernels, runs.',
    )
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell) => {
      const { completionCommand } = await import('../commands/completion.js');
      await finish(completionCommand(shell));
    });
  document(completion, {
    examples: [
      ['source <(daxrepro completion bash)', 'in ~/.bashrc, or just in this shell'],
      ['source <(daxrepro completion zsh)', 'in ~/.zshrc, after compinit'],
      ['daxrepro completion fish >~/.config/fish/completions/daxrepro.fish', 'for fish'],
    ],
    exitCodes: [
      ['0', 'the script was printed'],
      ['2', 'there is no script for this shell'],
    ],
  });
  program
    .command('complete', { hidden: true })
    .argument('[word...]', "the words after the program's name")
    .option('--line <line>', 'the whole line up to the cursor')
    .action(async (words, options) => {
      const { completeCommand } = await import('../commands/completion.js');
      await finish(completeCommand(commandLine(), words, options));
    });
}
