import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { archiveListing } from '../../cli/kernel/archive-listing.js';
import { readTar } from '../../cli/kernel/tar.js';
import { makeContext } from './context.js';

const long = `${'a-directory-with-a-long-name/'.repeat(8)}file.c`;
const FILES: Record<string, string> = {
  'top/Makefile': 'VERSION = 6\n',
  'top/empty': '',
  'top/block': 'x'.repeat(512),
  [`top/${long}`]: 'y'.repeat(100_000),
};

function archive(directory: string, format: string): string {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const file = join(directory, `${format}.tar`);
  execFileSync('tar', [`--format=${format}`, '-cf', file, '-C', directory, 'top']);
  return file;
}

t.test('reads what tar writes, whatever the pieces that it comes in', async (t) => {
  for (const format of ['gnu', 'pax']) {
    const file = archive(t.testdir(), format);
    for (const highWaterMark of [7, 512, 65_536]) {
      const found: Record<string, string> = {};
      await readTar(createReadStream(file, { highWaterMark }), (path) => {
        const pieces: Buffer[] = [];
        return {
          content: (piece) => pieces.push(Buffer.from(piece)),
          end: () => {
            found[path] = Buffer.concat(pieces).toString();
          },
        };
      });
      t.strictSame(found, FILES, `${format} in pieces of ${highWaterMark}`);
    }
  }
});

t.test("what git would call an archive's files", async (t) => {
  const root = t.testdir();
  const file = archive(root, 'gnu');
  execFileSync('xz', ['-0', file]);
  const { context } = makeContext(root);
  const listing = await archiveListing({ file: `${file}.xz`, identity: 'one' }, context);
  if (!listing.ok) throw new Error(listing.failure.message);
  t.strictSame(
    [...listing.value.keys()].sort(),
    Object.keys(FILES)
      .map((path) => path.slice('top/'.length))
      .sort(),
  );
  for (const [path, name] of listing.value) {
    const content = readFileSync(join(root, 'top', path));
    const hash = createHash('sha1').update(`blob ${content.length}\0`).update(content);
    t.equal(name, hash.digest('hex'), path);
  }
  t.equal(listing.value.get('empty'), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391', "git's own");
});
