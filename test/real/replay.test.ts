import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { daxrepro } from './daxrepro.js';

// A failure is found, sent as a file, and reproduced from that file alone.
t.setTimeout(10 * 60 * 1000);

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A PATH that begins with programs for building and fetching that refuse to work. */
function withoutBuilding(place: string): string {
  const bin = join(place, 'bin');
  mkdirSync(bin);
  for (const name of ['make', 'gcc', 'gcc-12', 'spatch', 'apt-get', 'dpkg-deb']) {
    writeFileSync(join(bin, name), '#!/bin/sh\necho "$0 $*" >&2\nexit 9\n', { mode: 0o755 });
  }
  return `${bin}:${process.env['PATH']}`;
}

t.test('replays a bundle to the same signatures', async (t) => {
  const place = t.testdir({ recorded: {}, replayed: {}, elsewhere: {}, cache: {} });
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
  t.match(
    replay,
    { conclusion: 'agrees', context: { length: 0 } },
    'the same kernel, module and tools',
  );
  t.match(units, [{ verdict: 'fail', variant: 'patched' }]);
  const signatures = ['e2fsck:directory-inode-block-offset-directory-corrupted'];
  t.match(replay.units, [{ recorded: { signatures }, replayed: { signatures } }]);
  t.notOk(replayed.stdout.includes(join(place, 'recorded')), 'nothing points to the first run');

  // With its kernel it needs no cache, no mirror and no compiler.
  const whole = join(place, 'elsewhere/whole.tar.zst');
  const packing = ['bundle', join(place, 'recorded', name), '--with-kernel', '--output', whole];
  const packed = await execa(join(root, 'daxrepro'), packing, { reject: false });
  t.match(packed, { exitCode: 0, stdout: /with 6\.1\.0-\d+-amd64 \(/ }, packed.stderr);
  const again = await execa(
    join(root, 'daxrepro'),
    ['replay', whole, '--json', '--out', join(place, 'replayed')],
    {
      env: {
        XDG_CACHE_HOME: join(place, 'cache'),
        PATH: withoutBuilding(join(place, 'elsewhere')),
      },
      reject: false,
    },
  );
  t.equal(again.exitCode, 0, again.stderr);
  const result = JSON.parse(again.stdout);
  t.match(
    result.replay,
    { conclusion: 'agrees', context: { length: 0 } },
    'the same kernel and module',
  );
  t.match(result.units[0].unwritten, { known: true }, 'the witness module came with it');
});
