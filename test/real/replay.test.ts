import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { daxrepro } from './daxrepro.js';

// A failure is found, sent as a file, and found again from nothing but that file.
t.setTimeout(10 * 60 * 1000);

const root = fileURLToPath(new URL('../../', import.meta.url));

t.test('a bundle replays to the same signatures', async (t) => {
  const place = t.testdir({ recorded: {}, replayed: {}, elsewhere: {} });
  const patch = join(root, 'kernels/variants/early-return.cocci');
  const run = ['run', 'ext2', 'generic/002', '--patch', patch];
  const recorded = await daxrepro([...run, '--json'], join(place, 'recorded'));
  t.equal(recorded.exitCode, 1, recorded.stderr);
  const [name = ''] = readdirSync(join(place, 'recorded'));
  const file = join(place, 'elsewhere/bug.tar.gz');
  const argv = ['bundle', join(place, 'recorded', name), '--output', file];
  const bundled = await execa(join(root, 'daxrepro'), argv, { reject: false });
  t.equal(bundled.exitCode, 0, bundled.stderr);

  const replayed = await daxrepro(['replay', file, '--json'], join(place, 'replayed'));
  t.equal(replayed.exitCode, 0, replayed.stderr);
  const { replay, units } = JSON.parse(replayed.stdout);
  t.match(replay, { conclusion: 'agrees', context: [] }, 'the same kernel, module and tools');
  t.match(units, [{ verdict: 'fail', variant: 'patched' }]);
  const signatures = ['e2fsck:directory-inode-block-offset-directory-corrupted'];
  t.match(replay.units, [{ recorded: { signatures }, replayed: { signatures } }]);
  t.notOk(replayed.stdout.includes(join(place, 'recorded')), 'nothing points to the first run');
});
