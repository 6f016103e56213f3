import { type Command, Option } from 'commander';
import { POWER_CUT_DEFAULTS, RUN_DEFAULTS } from '../run/defaults.js';
import { collect } from './define.js';

/** Options that several commands share, so that their help cannot differ: `.addOption(shared.jobs())`. */
export const shared = {
  cc: () =>
    new Option('--cc <compiler>', 'compiler for kernels built from source, as a name or a path'),
  kconfig: () =>
    new Option(
      '--kconfig <file>',
      'configuration fragment for kernels built from source (repeatable)',
    ).argParser(collect),
  patch: () =>
    new Option(
      '--patch <file>',
      'apply a patch, an mbox or a semantic patch (.cocci), in order (repeatable)',
    ).argParser(collect),
  steps: () => new Option('--steps <n>', 'apply only the first n patches of those files'),
  logDevice: () => new Option('--log-device', 'external logs for xfs, external journals for ext4'),
  rtDevice: () => new Option('--rt-device', 'realtime devices for xfs'),
  logwrites: () =>
    new Option('--logwrites', 'a device on which dm-log-writes records, for tests of xfstests'),
  suitePatch: () =>
    new Option(
      '--suite-patch <file>',
      'apply a patch or an mbox to a copy of the xfstests tree (repeatable)',
    ).argParser(collect),
  pmem: () =>
    new Option('--pmem <kind>', 'memmap, nvdimm, virtio-pmem, cxl, or none (no DAX)').default(
      RUN_DEFAULTS.pmem,
    ),
  partition: () =>
    new Option(
      '--partition',
      'put a partition table on the devices, the file system in a partition',
    ),
  stack: () =>
    new Option(
      '--stack <target>',
      'device mapper below the file systems: linear, stripe or log-writes; with --control also flakey, delay, snapshot, writecache',
    ),
  poison: () =>
    new Option(
      '--poison <range>',
      'mark bytes of TEST_DEV bad during the test: OFFSET[+LENGTH], such as 64M+4K (repeatable)',
    ).argParser(collect),
  control: () =>
    new Option('--control', 'with --pmem none: mount without DAX, and prove that DAX is off'),
  mountOpts: () =>
    new Option('--mount-opts <options>', 'mount options to add after the DAX option'),
  mkfsOpts: () => new Option('--mkfs-opts <options>', 'extra options for mke2fs or mkfs.xfs'),
  inReplyTo: () =>
    new Option('--in-reply-to <msgid>', 'for mail: reply to the mail with this Message-ID'),
  replyTo: () =>
    new Option(
      '--reply-to <file>',
      'for mail: reply to this saved mail or mbox; subject, thread and recipients come from it',
    ),
  seed: () =>
    new Option('--seed <n>', "seed of the guests' random numbers (default: random, recorded)"),
  jobs: () =>
    new Option('--jobs <n>', 'guests to run in parallel (default: what CPUs and memory allow)'),
  on: () =>
    new Option(
      '--on <engine>',
      'run on other machines: slurm[:partition=…,nodes=…,max=…] or ssh:HOST[:JOBS],…',
    ),
  accel: () =>
    new Option('--accel <accel>', 'auto (KVM if a guest boots under it), kvm or tcg').default(
      RUN_DEFAULTS.accel,
    ),
  qemu: () =>
    new Option(
      '--qemu <qemu>',
      "the emulator: a path, or debian:SUITE for Debian's (default: qemu-system-x86_64 in PATH)",
    ),
  userland: () =>
    new Option(
      '--userland <userland>',
      "the guest's programs: host, debian:SUITE or the directory of another system (default: host)",
    ),
  e2fsprogs: () => ownPackage('e2fsprogs'),
  xfsprogs: () => ownPackage('xfsprogs'),
  keepImages: () =>
    new Option(
      '--keep-images <size>',
      'disk space for images of damaged devices; 0 keeps none',
    ).default(RUN_DEFAULTS.keepImages),
  powerCut: () =>
    new Option(
      '--power-cut',
      "cut the guests' power, and check that everything synced before a cut survived it",
    ),
  cuts: () =>
    new Option(
      '--cuts <n>',
      `extra power cuts at random moments, on top of one after each promise (default: ${POWER_CUT_DEFAULTS.cuts})`,
    ),
  cutStates: () =>
    new Option(
      '--cut-states <n>',
      `images per cut in which random parts of the unflushed data survive (default: ${POWER_CUT_DEFAULTS.cutStates})`,
    ),
  noCheckpoint: () =>
    new Option('--no-checkpoint', 'boot every guest instead of cloning one that has booted'),
  together: () =>
    new Option(
      '--together',
      'share guests among xfstests tests: faster, but a test can affect later ones',
    ),
  record: () =>
    new Option(
      '--record',
      'record each execution, and keep the records of failures for `replay --exact`',
    ),
  withDirectory: () =>
    new Option(
      '--with <dir>',
      'a directory that test files of your own get read-only, in $WITH_DIR',
    ),
  runFor: () =>
    new Option(
      '--for <time>',
      'end test files of your own after this time; they pass if nothing was found',
    ),
  memory: () => new Option('--memory <size>', 'memory of a guest: 512M, 4G (default: 1G)'),
  append: () =>
    new Option('--append <parameters>', "further parameters for the guest's kernel command line"),
  sysctl: () =>
    new Option('--sysctl <key=value>', 'a kernel setting of the guest (repeatable)').argParser(
      collect,
    ),
  debug: () =>
    new Option(
      '--debug <names>',
      'debugging features of kernels built from source: kasan, kcsan, kmemleak, lockdep, pagealloc, ubsan',
    ).argParser(collect),
  exclude: () =>
    new Option('--exclude <test>', 'skip a test, a range or a pattern (repeatable)').argParser(
      collect,
    ),
  excludeFile: () =>
    new Option('--exclude-file <file>', 'skip the tests listed in a file (repeatable)').argParser(
      collect,
    ),
  excludeGroup: () =>
    new Option('--exclude-group <group>', 'skip the tests of a group (repeatable)').argParser(
      collect,
    ),
};

function ownPackage(name: string): Option {
  return new Option(
    `--${name} <package>`,
    `${name} of the guest: the directory in which make built it, or debian:SUITE[=VERSION]`,
  );
}

/** Devices besides TEST_DEV and SCRATCH_DEV. */
export function additionalDeviceOptions(command: Command): void {
  command.addOption(shared.logDevice()).addOption(shared.rtDevice()).addOption(shared.logwrites());
}

/** The group "Power cuts:" of the commands that have one. */
export function powerCutOptions(command: Command): void {
  command
    .optionsGroup('Power cuts:')
    .addOption(shared.powerCut())
    .addOption(shared.cuts())
    .addOption(shared.cutStates());
}
