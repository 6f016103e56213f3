import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/* Functions of guest-scripts/lib/filesystem.sh in a test's shell, where unset variables are errors. */

const SCRIPTS = fileURLToPath(new URL('../../guest-scripts', import.meta.url));

function besideIt(device: string, settings = ''): string {
  const script = `set -u
    TEST_DEV=/dev/pmem0 SCRATCH_DEV=/dev/pmem1 FSTYP=xfs
    ${settings}
    . "$SCRIPTS/lib/filesystem.sh"
    log_and_realtime ${device}
    echo "log $LOG, realtime $REALTIME"`;
  const env = { PATH: process.env['PATH'], SCRIPTS };
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' },
  });
  return stdout + stderr;
}

t.test('a file system without further devices has none beside it', async (t) => {
  for (const device of ['/dev/pmem0', '/dev/pmem1', '/dev/loop0']) {
    t.equal(besideIt(device), 'log , realtime \n', device);
  }
  t.equal(besideIt('/dev/pmem0', 'TEST_LOGDEV=/dev/pmem2'), 'log /dev/pmem2, realtime \n');
  t.equal(besideIt('/dev/pmem1', 'SCRATCH_RTDEV=/dev/pmem3'), 'log , realtime /dev/pmem3\n');
});
