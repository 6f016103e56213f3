import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

/*
 * guest-scripts/lib/media.sh outside of a guest. A directory stands for /sys/block, and a file in it keeps
 * all that is written to it, as the kernel does.
 */

const SCRIPT = readFileSync(
  fileURLToPath(new URL('../../guest-scripts/lib/media.sh', import.meta.url)),
  'utf8',
);

/** @param readable whether the device can be read where it is poisoned */
function marked(
  t: Test,
  [offset, length]: [number, number],
  readable: 'no' | 'yes' | 'last' = 'no',
) {
  const top = t.testdir({ block: { pmem0: { badblocks: '' } }, log: '' });
  const script = SCRIPT.replaceAll('/sys/block', `${top}/block`).replace('>"$file"', '>>"$file"');
  const file = join(top, 'media.sh');
  writeFileSync(file, script);
  const program = `set -u
    . ${file}
    dd() {
      echo "$*" >>${top}/log
      case ${readable} in no) return 1 ;; last) [[ "$*" != *skip=${offset / 512}' '* ]] ;; esac
    }
    mark_poison /dev/pmem0 ${offset} ${length} && echo marked || echo "$REPLY"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
  return {
    said: (stdout + stderr).trim(),
    marks: readFileSync(join(top, 'block/pmem0/badblocks'), 'utf8').trim().split('\n'),
    looks: readFileSync(join(top, 'log'), 'utf8').trim().split('\n'),
  };
}

t.test('marks a range in parts, from the first one on, and reads both ends of it', async (t) => {
  const page = marked(t, [1_048_576, 4096]);
  t.match(page, { said: 'marked', marks: ['2048 8'] });
  t.match(page.looks, [
    'if=/dev/pmem0 of=/dev/null iflag=direct bs=512 skip=2048 count=1',
    /skip=2055 /,
  ]);
  const long = marked(t, [512, 600 * 1024]);
  t.strictSame(long.marks, ['1 512', '513 512', '1025 176']);
  t.match(long.looks, [/skip=1 /, /skip=1200 /]);
});

t.test('marks that the kernel does not heed are no poison', async (t) => {
  t.match(
    marked(t, [4096, 4096], 'yes').said,
    /^\/dev\/pmem0 could not be poisoned at 4096: .*read$/,
  );
  t.match(marked(t, [4096, 4096], 'last').said, /its sector 15 can still be read$/);
});
