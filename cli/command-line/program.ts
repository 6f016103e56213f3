import { Command } from 'commander';
import { defineBisect } from './bisect.js';
import { defineBundle } from './bundle.js';
import { defineCache } from './cache.js';
import { defineCase } from './case.js';
import { defineCompare } from './compare.js';
import { defineCompletion } from './completion.js';
import { defineConfig } from './config.js';
import { defineDiff } from './diff.js';
import { defineDoctor } from './doctor.js';
import { defineFsck } from './fsck.js';
import { addBriefHelp, configureHelp } from './help.js';
import { defineHistory } from './history.js';
import { defineKernel } from './kernel.js';
import { defineList } from './list.js';
import { defineLog } from './log.js';
import { document, RUN_EXIT_CODES } from './manual.js';
import { defineMutate } from './mutate.js';
import { defineChunk, defineCollect, definePlan } from './plan.js';
import { defineReplay } from './replay.js';
import { defineReport } from './report.js';
import { defineRun } from './run.js';
import { defineSetup } from './setup.js';
import { defineShell } from './shell.js';

/** In the order of `--help`. */
const DEFINITIONS = [
  defineRun,
  defineCompare,
  defineCase,
  defineBisect,
  defineMutate,
  definePlan,
  defineChunk,
  defineCollect,
  defineShell,
  defineReport,
  defineHistory,
  defineList,
  defineDiff,
  defineReplay,
  defineBundle,
  defineFsck,
  defineLog,
  defineKernel,
  defineCache,
  defineConfig,
  defineDoctor,
  defineSetup,
  defineCompletion,
];

/**
 * The whole command line, for main.ts, completions, the manual page and the tests of the documents.
 * Throws a CommanderError on wrong usage.
 */
export function commandLine(version: string): Command {
  const program = configureHelp(new Command('daxrepro'))
    .description(
      'Boots QEMU guests with emulated persistent memory, runs tests on ext2, ext4 and xfs mounted\nwith -o dax, and reports a verdict only when it can prove one.',
    )
    .version(version, '-V, --version', 'print the version')
    // A subcommand may have options with the names of its parent's.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(-h lists the options, --help explains them with examples)')
    .exitOverride();
  const another = () => commandLine(version);
  for (const define of DEFINITIONS) define(program, another);
  addBriefHelp(program);
  return document(program, {
    examples: [
      ['daxrepro run ext2 generic/002', 'one test, on the packaged 6.1 kernel'],
      ['daxrepro run xfs -g dax --pmem nvdimm', 'a group of tests, on NVDIMMs'],
      ['daxrepro run ext4 generic/002 --json', 'for scripts: one JSON document on stdout'],
      ['daxrepro compare case.yaml', 'run variants of a kernel side by side'],
      ['daxrepro bisect ext2 generic/002 --series v2.mbox', 'find the first bad patch or commit'],
      ['daxrepro shell ext2 --patch fix.patch', 'a shell in a guest, and a verdict afterwards'],
      ['daxrepro report --output report.html', 'show the newest run in a browser'],
      ['daxrepro fsck e2fsck.log', 'the findings in a log from anywhere'],
      ['dmesg | daxrepro log -', 'the findings in a kernel log'],
    ],
    exitCodes: RUN_EXIT_CODES,
  });
}
