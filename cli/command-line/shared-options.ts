import { Option } from 'commander';
import { POWER_CUT_DEFAULTS, RUN_DEFAULTS } from '../run/defaults.js';
import { collect } from './define.js';

/** Options that mean the same wherever they stand, in the same words: `.addOption(shared.jobs())`. */
export const shared = {
  cc: () =>
    new Option('--cc <compiler>', 'of a kernel that is built (debsrc:, src:): a name or a path'),
  kconfig: () =>
    new Option('--kconfig <file>', 'a fragment of its configuration (repeatable)').argParser(
      collect,
    ),
  pmem: () =>
    new Option('--pmem <kind>', 'memmap, nvdimm, virtio-pmem, or none (no DAX)').default(
      RUN_DEFAULTS.pmem,
    ),
  control: () =>
    new Option('--control', 'with --pmem none: mount without DAX, and prove that it is not in use'),
  mountOpts: () =>
    new Option('--mount-opts <options>', 'more mount options, after those that ask for DAX'),
  mkfsOpts: () => new Option('--mkfs-opts <options>', 'more options for mke2fs or mkfs.xfs'),
  seed: () =>
    new Option(
      '--seed <n>',
      "what the guests' random numbers begin with (recorded; default: random)",
    ),
  jobs: () => new Option('--jobs <n>', 'guests at a time (default: what cores and memory allow)'),
  accel: () =>
    new Option('--accel <accel>', 'auto (KVM where it really works), kvm or tcg').default(
      RUN_DEFAULTS.accel,
    ),
  keepImages: () =>
    new Option(
      '--keep-images <size>',
      'what images of damaged devices may take on the disk; 0 keeps none',
    ).default(RUN_DEFAULTS.keepImages),
  powerCut: () =>
    new Option(
      '--power-cut',
      "cut the guests' power, and verify that sync calls kept their promises",
    ),
  cuts: () =>
    new Option(
      '--cuts <n>',
      `at drawn moments, besides after promises (default: ${POWER_CUT_DEFAULTS.cuts})`,
    ),
  cutStates: () =>
    new Option(
      '--cut-states <n>',
      `images of each cut with random parts of what was lost (default: ${POWER_CUT_DEFAULTS.cutStates})`,
    ),
  noCheckpoint: () =>
    new Option('--no-checkpoint', 'boot each guest instead of cloning one that was booted before'),
  together: () =>
    new Option(
      '--together',
      'tests of xfstests share guests: faster, but one can leave state to the next',
    ),
  exclude: () =>
    new Option('--exclude <test>', 'leave out a test, a range or a pattern (repeatable)').argParser(
      collect,
    ),
  excludeFile: () =>
    new Option(
      '--exclude-file <file>',
      'leave out the tests that a file lists (repeatable)',
    ).argParser(collect),
  excludeGroup: () =>
    new Option('--exclude-group <group>', 'leave out the tests of a group (repeatable)').argParser(
      collect,
    ),
};
