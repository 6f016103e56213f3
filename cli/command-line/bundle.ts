import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro bundle`: its arguments and options. */
export function defineBundle(program: Command): void {
  const command = program
    .command('bundle')
    .summary('a kept run as one file, to replay elsewhere')
    .description(
      'Packs a kept run into one archive: its inputs with their hashes, its results, logs and images.',
    )
    .argument(
      '[run]',
      "a run's directory, or its name in the default place (default: the newest that has inputs)",
    )
    .option('--output <file>', 'a .tar.gz or .tar.zst (default: the name of the run, .tar.gz)')
    .option(
      '--with-kernel',
      'its kernels and modules, too: nothing is fetched or built to replay it',
    )
    .option('--json', 'what is in it as JSON on stdout')
    .action(async (run, options) => {
      const { bundleCommand } = await import('../commands/bundle.js');
      await finish(bundleCommand(run, options));
    });
  document(command, {
    examples: [
      ['daxrepro bundle --output bug.tar.zst', 'the newest run, for somebody else'],
      ['daxrepro replay bug.tar.zst', 'what they do with it'],
      [
        'daxrepro bundle RUN --with-kernel',
        'larger, and complete: for a machine without a network',
      ],
    ],
    details: `In it are bundle.json (a list with sizes and SHA-256), result.json, results.xml, inputs/ (patches,
      the case, fragments, options, seeds, and which kernel it was), and a directory for each unit with its logs,
      evidence, images of damaged devices and QEMU's command line. Kernels are in it by name, version and
      hash, with --with-kernel as they are: images, the modules that guests take, and the file systems' modules as they were
      built, so that no patch is applied and nothing compiled to replay it. xfstests is in it by version. No environment is in it, and of paths of this machine only what is left of them: names of
      copies, $CACHE, ~. What a guest wrote is as it wrote it. The same run makes the same file, byte by byte.`,
    exitCodes: [
      ['0', 'the bundle is there, whole'],
      ['2', 'wrong usage, no such run, or one whose inputs are not as they were kept'],
      ['3', 'it could not be written'],
      ['130', 'interrupted; nothing is left of it'],
    ],
  });
}
