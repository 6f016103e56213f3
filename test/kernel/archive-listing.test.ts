import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { archiveListing } from '../../cli/kernel/archive-listing.js';
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

t.test("names an archive's files as git would", async (t) => {
  for (const format of ['gnu', 'pax']) {
    const root = t.testdir();
    const file = archive(root, format);
    execFileSync('xz', ['-0', file]);
    const { context } = makeContext(root);
    const listing = await archiveListing({ file: `${file}.xz`, identity: 'one' }, context);
    if (!listing.ok) throw new Error(listing.failure.message);
    t.strictSame(
      [...listing.value.keys()].sort(),
      Object.keys(FILES)
        .map((path) => path.slice('top/'.length))
        .sort(),
      format,
    );
    for (const [path, name] of listing.value) {
      const content = readFileSync(join(root, 'top', path));
      const hash = createHash('sha1').update(`blob ${content.length}\0`).update(content);
      t.equal(name, hash.digest('hex'), path);
    }
    t.equal(listing.value.get('empty'), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391', "git's own");
  }
});

t.test('makes no listing of an archive that is damaged or truncated', async (t) => {
  const root = t.testdir();
  const whole = readFileSync(archive(root, 'gnu'));
  const damaged = Buffer.from(whole);
  damaged.write('?', damaged.indexOf('Makefile'));
  const { context } = makeContext(root);
  for (const [identity, bytes] of Object.entries({
    damaged,
    cut: whole.subarray(0, whole.length - 60_000),
    noise: Buffer.alloc(4096, 7),
  })) {
    const file = join(root, identity);
    writeFileSync(file, bytes);
    execFileSync('xz', ['-0', file]);
    const listing = await archiveListing({ file: `${file}.xz`, identity }, context);
    t.match(listing, { ok: false, failure: { kind: 'tool-failed', detail: String } }, identity);
  }
});
