import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

/*
 * guest-scripts/lib/layers.sh outside of a guest. Programs that stand for dmsetup and blockdev note what
 * they are asked.
 */

const SCRIPTS = fileURLToPath(new URL('../../guest-scripts', import.meta.url));

/** The tables that the guest makes, and the devices that it then has. */
function stacked(t: Test, stack: string, { sectors = 524_288, more = '' } = {}) {
  const bin = t.testdir({
    dmsetup: '#!/bin/sh\n{ echo "[$*]"; cat; } >>"$0.log"\n',
    blockdev: `#!/bin/sh\necho ${sectors}\n`,
    modprobe: '#!/bin/sh\n',
    'dmsetup.log': '',
  });
  for (const name of ['dmsetup', 'blockdev', 'modprobe']) chmodSync(join(bin, name), 0o755);
  const script = `
    . "$SCRIPTS/lib/layers.sh"
    is_mapped() { :; }
    TEST_DEV=/dev/pmem0 SCRATCH_DEV=/dev/pmem1 DEVICE_PROBLEM='' ADDITIONAL=(pmem2 pmem3 pmem4)
    daxrepro_stack=${stack}
    ${more}
    add_layers
    echo "$TEST_DEV $SCRATCH_DEV [\${ADDITIONAL[*]}]\${DEVICE_PROBLEM:+ $DEVICE_PROBLEM}"
    cat "$BIN/dmsetup.log"`;
  const file = join(bin, 'script');
  writeFileSync(file, script);
  const env = { PATH: `${bin}:${process.env['PATH']}`, SCRIPTS, BIN: bin };
  const { stdout, stderr } = spawnSync('bash', ['--norc', file], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' },
  });
  return (stdout + stderr).trim().split('\n');
}

const THREE = '[pmem2 pmem3 pmem4]';

t.test('linear: the halves in reverse order, also where they differ', async (t) => {
  t.strictSame(stacked(t, 'linear'), [
    `/dev/mapper/dm-0 /dev/mapper/dm-1 ${THREE}`,
    '[create dm-0]',
    '0 262144 linear /dev/pmem0 262144',
    '262144 262144 linear /dev/pmem0 0',
    '[create dm-1]',
    '0 262144 linear /dev/pmem1 262144',
    '262144 262144 linear /dev/pmem1 0',
  ]);
  t.match(stacked(t, 'linear', { sectors: 520_184 }), [
    /dm-0/,
    '[create dm-0]',
    '0 262136 linear /dev/pmem0 258048',
    '262136 258048 linear /dev/pmem0 0',
  ]);
});

t.test('stripe: whole stripes on two partitions, also without --partition', async (t) => {
  const partitions = 'partition() { REPLY="$1p2 $1p1"; [[ $2 == 2 ]]; }';
  for (const more of [partitions, `${partitions}; daxrepro_partition=1`]) {
    t.strictSame(stacked(t, 'stripe', { sectors: 258_120, more }), [
      `/dev/mapper/dm-0 /dev/mapper/dm-1 ${THREE}`,
      '[create dm-0]',
      '0 516096 striped 2 128 /dev/pmem0p1 0 /dev/pmem0p2 0',
      '[create dm-1]',
      '0 516096 striped 2 128 /dev/pmem1p1 0 /dev/pmem1p2 0',
    ]);
  }
});

t.test('the last two devices are for the stacks that need them', async (t) => {
  for (const [stack, table] of [
    ['log-writes', '0 524288 log-writes /dev/pmem0 /dev/pmem3'],
    ['snapshot', '0 524288 snapshot /dev/pmem0 /dev/pmem3 N 8'],
    ['writecache', '0 524288 writecache s /dev/pmem0 /dev/pmem3 4096 0'],
  ] as const) {
    const lines = stacked(t, stack);
    t.equal(lines[0], '/dev/mapper/dm-0 /dev/mapper/dm-1 [pmem2]', stack);
    t.equal(lines[2], table);
    t.match(lines[4], /\/dev\/pmem1 \/dev\/pmem4/);
  }
  for (const [stack, table] of [
    ['flakey', '0 524288 flakey /dev/pmem0 0 60 0'],
    ['delay', '0 524288 delay /dev/pmem0 0 1'],
  ] as const) {
    t.match(stacked(t, stack), [`/dev/mapper/dm-0 /dev/mapper/dm-1 ${THREE}`, /create/, table]);
  }
});

t.test('a stack goes on the partition; what fails is said', async (t) => {
  const partition = 'daxrepro_partition=1; partition() { REPLY=$1p1; [[ $2 == 1 ]]; }';
  t.match(stacked(t, 'linear', { more: partition })[2], /linear \/dev\/pmem0p1 262144/);
  const failing = 'dmsetup() { echo "device-mapper: reload ioctl failed" >&2; return 1; }';
  t.match(
    stacked(t, 'linear', { more: failing })[0],
    /^\/dev\/pmem0 \/dev\/pmem1 .*there is no linear on \/dev\/pmem0: .*ioctl failed; the kernel needs/,
  );
  const none = 'type() { return 1; }';
  t.match(stacked(t, 'linear', { more: none })[0], /--stack needs the program dmsetup/);
});
