import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { locate } from '../../cli/exact/locate.js';
import { findProgram } from '../../cli/system/programs.js';

/** On small file systems that the test makes. */

const path = `${process.env['PATH']}:/usr/sbin:/sbin`;
const lacks = (name: string) => findProgram(name, path) === undefined && `there is no ${name}`;
const run = (program: string, ...argv: string[]) =>
  execFileSync(program, argv, { env: { ...process.env, PATH: path }, stdio: 'pipe' }).toString();

function image(directory: string): string {
  const file = join(directory, 'image');
  writeFileSync(file, '');
  return file;
}

t.test('finds blocks and files of ext2 and ext4', { skip: lacks('debugfs') }, async (t) => {
  for (const [fs, blockSize] of [
    ['ext2', 1024],
    ['ext4', 4096],
  ] as const) {
    const directory = t.testdir({ content: 'x'.repeat(3 * blockSize) });
    const made = image(directory);
    truncateSync(made, 8 * 2 ** 20);
    run('mke2fs', '-q', '-t', fs, '-b', String(blockSize), '-F', made);
    run('debugfs', '-w', '-R', `write ${join(directory, 'content')} file`, made);
    const where = { fs, file: made };
    const byBlock = await locate({ kind: 'block', block: 70, byte: 5 }, where);
    t.match(byBlock, {
      value: { offset: 70 * blockSize + 5, blockSize, block: 70, byte: 5 },
    });
    const offset = 2 * blockSize + 7;
    const byName = await locate({ kind: 'file', file: 'file', offset }, where);
    t.ok(byName.ok && byName.value.byte === 7 && byName.value.blockSize === blockSize, fs);
    const inode = /Inode: (\d+)/.exec(run('debugfs', '-R', 'stat file', made))?.[1];
    t.strictSame(await locate({ kind: 'file', file: `<${inode}>`, offset }, where), byName);
    t.match(await locate({ kind: 'file', file: 'none', offset: 0 }, where), {
      failure: { kind: 'usage', message: /none has no block at offset 0/ },
    });
    t.match(await locate({ kind: 'file', file: 'file', offset: 99 * blockSize }, where), {
      failure: { message: /has no block/ },
    });
    t.match(await locate({ kind: 'block', block: 1, byte: blockSize }, where), {
      failure: { message: new RegExp(`a block has ${blockSize} bytes`) },
    });
  }
});

t.test('finds blocks and files of XFS', { skip: lacks('xfs_db') }, async (t) => {
  const directory = t.testdir({ content: 'x'.repeat(9000), proto: '' });
  const file = image(directory);
  truncateSync(file, 400 * 2 ** 20);
  writeFileSync(
    join(directory, 'proto'),
    `/dev/null\n0 0\nd--755 0 0\nfile ---644 0 0 ${join(directory, 'content')}\n$\n`,
  );
  run('mkfs.xfs', '-q', '-p', join(directory, 'proto'), file);
  const where = { fs: 'xfs', file };
  const found = await locate({ kind: 'file', file: 'file', offset: 4097 }, where);
  t.ok(found.ok && found.value.byte === 1 && found.value.blockSize === 4096, JSON.stringify(found));
  if (found.ok) {
    const bytes = execFileSync(
      'dd',
      [`if=${file}`, 'bs=1', `skip=${found.value.offset}`, 'count=4'],
      {
        stdio: 'pipe',
      },
    );
    t.equal(bytes.toString(), 'xxxx');
  }
  t.match(await locate({ kind: 'file', file: 'none', offset: 0 }, where), { ok: false });
});

t.test('refuses an image without a superblock', async (t) => {
  const file = image(t.testdir());
  truncateSync(file, 2 ** 20);
  for (const fs of ['ext2', 'xfs']) {
    t.match(await locate({ kind: 'block', block: 1, byte: 0 }, { fs, file }), {
      failure: { kind: 'usage', message: /no readable superblock/ },
    });
  }
});
