import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro bundle`: its arguments and options. */
export function defineBundle(program: Command): void {
  const command = program
    .command('bundle')
    .summary('pack a run into one file, to replay elsewhere')
    .description(
      'Packs a run into one archive: its inputs with their hashes, its results, logs and images.',
    )
    .argument('[run]', 'a run directory or the name of a run (default: the newest run with inputs)')
    .option('--output <file>', 'a .tar.gz or .tar.zst file (default: the name of the run, .tar.gz)')
    .option(
      '--with-kernel',
      'include kernels and modules, so that replay needs no download or build',
    )
    .option('--json', "print the bundle's contents as JSON on stdout")
    .action(async (run, options) => {
      const { bundleCommand } = await import('../commands/bundle.js');
      await finish(bundleCommand(run, options));
    });
  document(command, {
    examples: [
      ['daxrepro bundle --output bug.tar.zst', 'pack the newest run for somebody else'],
      ['daxrepro replay bug.tar.zst', 'what they do with it'],
      [
        'daxrepro bundle RUN --with-kernel',
        'larger, but complete: for a machine without a network',
      ],
    ],
    details: `A bundle holds bundle.json (a list of all files with sizes and SHA-256), result.json, results.xml,
      inputs/ (patches, the case file, configuration fragments, options, seeds, and the kernel's identity),
      and a directory for each unit with its logs, evidence, images of damaged devices and QEMU command line.

      Kernels are recorded by name, version and hash. --with-kernel adds the files: the images, the modules that
      guests load, and the file-system modules as built, so that replay applies no patch and compiles nothing.
      xfstests is recorded by version only.

      Environment variables are not included. Paths of this machine are replaced by the name of the copy, $CACHE
      or ~. Guest output is included unchanged. Bundling the same run again gives the same file, byte for byte.`,
    exitCodes: [
      ['0', 'the bundle was written completely'],
      ['2', 'wrong usage, no such run, or its inputs have changed since it ran'],
      ['3', 'the bundle could not be written'],
      ['130', 'interrupted; no partial file is left'],
    ],
  });
}
