import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { contentsOf } from '../../cli/bundle/contents.js';
import { isBundle, unpackBundle } from '../../cli/bundle/read.js';
import { BUNDLE_FILE } from '../../cli/bundle/schema.js';
import { padding, tarEnd, tarHeader } from '../../cli/bundle/tar.js';
import { checkTrust } from '../../cli/bundle/trust.js';
import { writeBundle } from '../../cli/bundle/write.js';
import type { KeptRun } from '../../cli/diff/sides.js';
import type { KeptInputs } from '../../cli/inputs/read.js';
import type { Inputs } from '../../cli/inputs/schema.js';
import { findProgram } from '../../cli/system/programs.js';
import { RESULT, UNIT } from '../util/results.js';

const { signal } = new AbortController();

const REQUEST: Inputs['requests'][number] = {
  fs: 'ext2',
  tests: ['generic/002'],
  kernel: 'debian:6.1',
  variant: { name: 'base', changes: [] },
  kconfig: [],
  pmem: 'memmap',
  timeout: 120,
  seed: 1,
  cpus: 1,
  control: false,
};

/** Makes the directory of a run with these changes. */
function keptRun(
  t: Test,
  changes: Record<string, string> = {},
  more: Partial<typeof REQUEST> = {},
) {
  const directory = t.testdir({
    'result.json': '{}',
    'results.xml': `<x>${homedir()}/a.patch</x>`,
    inputs: { 'manifest.json': '{}', changes },
    '001-ext2': { 'console.log': `a guest that says ${homedir()}\n`, 'x\ny': 'no name' },
  });
  symlinkSync('/etc/passwd', join(directory, '001-ext2/link'));
  const names = Object.keys(changes).map((name) => `changes/${name}`);
  const inputs: Inputs = {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: '0' },
    files: names.map((name) => {
      const content = readFileSync(join(directory, 'inputs', name));
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { name, sha256, bytes: content.length, from: join('/srv/mine', name) };
    }),
    requests: [{ ...REQUEST, variant: { name: 'v2', changes: names }, ...more }],
    suite: { name: 'xfstests', version: '1' },
    suiteDirectory: '/srv/secret/xfstests',
    kernels: [],
    checkpoints: true,
    together: false,
  };
  const command = [
    'run',
    '--patch',
    '/srv/mine/changes/a.patch',
    '--out=/srv/x',
    '--suite',
    '/srv/y/z',
  ];
  const replay = `daxrepro run --patch ${names.map((name) => join('/srv/mine', name)).join(' ')}`;
  const result = { ...RESULT, command, units: [{ ...UNIT, replay }] };
  const run: KeptRun = { kind: 'run', directory, result };
  const kept: KeptInputs = { inputs, directory: join(directory, 'inputs') };
  return { run, kept };
}

t.test('packs a run and unpacks it again', async (t) => {
  const { run, kept } = keptRun(t, { '001-v2.patch': 'a patch' });
  const contents = await contentsOf(run, kept);
  t.strictSame(contents.left, ['001-ext2/x\ny'], 'lists what it leaves out');
  const made: Buffer[] = [];
  for (const name of ['a.tar.gz', 'b.tar.gz', 'c.tar.zst']) {
    if (name.endsWith('.zst') && findProgram('zstd') === undefined) {
      t.pass(name, { skip: 'zstd is not installed' });
      continue;
    }
    const file = join(dirname(run.directory), name);
    t.match(await writeBundle(file, contents, signal), { ok: true });
    made.push(readFileSync(file));
    t.ok(await isBundle(file));
    const place = mkdtempSync(join(dirname(run.directory), 'unpacked-'));
    const unpacked = await unpackBundle(file, place);
    t.match(unpacked, { ok: true, value: { kind: 'run' } });
    t.equal(readFileSync(join(place, 'inputs/changes/001-v2.patch'), 'utf8'), 'a patch');
    t.strictSame(
      readdirSync(place).sort(),
      ['inputs', 'result.json'],
      'only the files that a replay needs',
    );
    if (name.endsWith('gz')) {
      const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
      t.strictSame(listed, [
        'bundle.json',
        '001-ext2/console.log',
        'inputs/changes/001-v2.patch',
        'inputs/manifest.json',
        'result.json',
        'results.xml',
      ]);
    }
  }
  t.ok(made[0]?.equals(made[1] as Buffer), 'the same run gives the same file');
  t.notOk(await isBundle(join(run.directory, 'result.json')));
  t.notOk(await isBundle('/nowhere'));
});

t.test('removes the paths of this machine', async (t) => {
  const { run, kept } = keptRun(t, { '001-v2.patch': 'a patch' });
  const { members } = await contentsOf(run, kept);
  const text = (name: string) => String(members.find((one) => one.name === name)?.content);
  for (const name of ['result.json', 'inputs/manifest.json', 'results.xml']) {
    t.notMatch(text(name), /\/srv|secret/, name);
    t.notOk(text(name).includes(homedir()), name);
    t.notOk(text(name).includes(run.directory), name);
  }
  t.match(JSON.parse(text('result.json')), {
    command: ['run', '--patch', 'a.patch', '--out=x', '--suite', 'z'],
    directory: '.',
    units: [{ replay: 'daxrepro run --patch inputs/changes/001-v2.patch' }],
  });
});

/** A bundle of any files. */
function forged(files: [name: string, content: string, header?: (block: Buffer) => void][]) {
  const list = files.map(([name, content]) => ({
    name,
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
  }));
  const tool = { name: 'daxrepro', version: '0' };
  const bundle = JSON.stringify({ schemaVersion: 1, tool, kind: 'run', files: list });
  const blocks = [...([[BUNDLE_FILE, bundle]] as typeof files), ...files].map(
    ([name, content, change]) => {
      const block = tarHeader(name, content.length);
      if (change) {
        change(block);
        block.write('        ', 148);
        const sum = block.reduce((all, byte) => all + byte, 0);
        block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      }
      return Buffer.concat([block, Buffer.from(content), padding(content.length)]);
    },
  );
  return Buffer.concat([...blocks, tarEnd()]);
}

t.test('rejects hostile archives', async (t) => {
  const top = t.testdir({ unpack: {} });
  const file = join(top, 'x.tar.gz');
  let number = 0;
  const refused = async (what: string, bytes: Buffer, why: RegExp) => {
    writeFileSync(file, bytes);
    number += 1;
    const place = join(top, 'unpack', String(number));
    mkdirSync(place);
    const unpacked = await unpackBundle(file, place);
    t.match(unpacked, { ok: false, failure: { kind: 'unreadable', message: why } }, what);
    t.strictSame(
      readdirSync(join(top, 'unpack')).sort(),
      [...Array(number).keys()].map((one) => String(one + 1)).sort(),
      'writes nothing outside of its directory',
    );
  };
  const good = forged([['result.json', 'x'.repeat(5000)]]);
  writeFileSync(file, gzipSync(good));
  mkdirSync(join(top, 'good'));
  t.match(await unpackBundle(file, join(top, 'good')), { ok: true });

  for (const name of [
    '../evil',
    'inputs/../../evil',
    '/etc/evil',
    'inputs//x',
    'inputs/.git/config',
    'inputs/a\\b',
    'inputs/\x1b[2J',
    '.',
  ]) {
    await refused(name, gzipSync(forged([[name, 'x']])), /not a valid name in a bundle/);
  }
  const type = (letter: string) => (block: Buffer) => void block.write(letter, 156);
  for (const letter of ['1', '2', '3', '5', 'S', 'x', 'g', 'L', '\0']) {
    const bytes = gzipSync(forged([['inputs/x', 'x', type(letter)]]));
    await refused(`type ${letter}`, bytes, /not a regular file/);
  }
  const size = (digits: string) => (block: Buffer) => void block.write(digits, 124);
  await refused(
    'a wrong size',
    gzipSync(forged([['result.json', 'x', size('77777777777')]])),
    /does not have the size in its list/,
  );
  const twice = forged([
    ['result.json', 'x'],
    ['result.json', 'x'],
  ]);
  await refused('twice', gzipSync(twice), /contains result.json twice/);
  const content = Buffer.from(good);
  content.write('forged', content.indexOf('xxxxx'));
  await refused('other content', gzipSync(content), /SHA-256/);
  const noList = Buffer.concat([tarHeader('result.json', 0), tarEnd()]);
  await refused('no list', gzipSync(noList), /first file is not bundle.json/);
  const badList = Buffer.concat([
    tarHeader(BUNDLE_FILE, 2),
    Buffer.from('{}'),
    padding(2),
    tarEnd(),
  ]);
  await refused('another list', gzipSync(badList), /was not written by daxrepro/);
  const stranger = Buffer.concat([good.subarray(0, -1024), tarHeader('inputs/x', 0), tarEnd()]);
  await refused('not in the list', gzipSync(stranger), /not in its list/);
  const list = forged([['result.json', '']]);
  const lacking = Buffer.concat([list.subarray(0, -1536), tarEnd()]);
  await refused('only in the list', gzipSync(lacking), /is in its list, but not in the archive/);
  await refused('cut in the archive', gzipSync(good.subarray(0, 3000)), /ends too early/);
  await refused('no end', gzipSync(good.subarray(0, -1024)), /ends too early/);
  await refused('more after its end', gzipSync(Buffer.concat([good, good])), /after its end/);
  await refused('cut in gzip', gzipSync(good).subarray(0, -20), /unexpected end of file/);
  await refused('empty', gzipSync(''), /ends too early/);
  await refused('noise', gzipSync(Buffer.alloc(2048, 7)), /not a ustar archive/);
  // 300 MB of zeros are 300 KB of gzip. If the list announces too much, nothing is unpacked.
  const large = 300 * 2 ** 20;
  const tool = { name: 'daxrepro', version: '0' };
  const files = [{ name: 'result.json', sha256: '0'.repeat(64), bytes: large }];
  const announced = JSON.stringify({ schemaVersion: 1, tool, kind: 'run', files });
  const bomb = Buffer.concat([
    tarHeader(BUNDLE_FILE, announced.length),
    Buffer.from(announced),
    padding(announced.length),
    tarHeader('result.json', large),
    Buffer.alloc(2 ** 20),
  ]);
  await refused('a bomb', gzipSync(bomb), /too large/);
});

const DIFF = (path: string, mode = '') =>
  `diff --git a/${path} b/${path}\n${mode}--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n`;

t.test("rejects a stranger's changes that could run commands", async (t) => {
  const says = async (name: string, text: string, why?: RegExp) => {
    const { kept } = keptRun(t, { [name]: text });
    const checked = await checkTrust(kept);
    if (why) t.match(checked, { ok: false, failure: { message: why, remedy: /--trust/ } }, text);
    else t.match(checked, { ok: true }, text);
  };
  await says('001-a.patch', DIFF('fs/ext2/inode.c'));
  await says('001-a.patch', DIFF('fs/xfs/libxfs/xfs_bmap.h'));
  const mail = `From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH] x\n\nx\n---\n`;
  await says('001-a.mbox', `${mail}${DIFF('fs/ext2/inode.c')}-- \n2\n`);
  await says('001-a.mbox', `${mail}${DIFF('fs/ext2/Makefile')}-- \n2\n`, /Makefile/);
  for (const path of [
    'fs/ext2/Makefile',
    'fs/ext2/Kconfig',
    'fs/Makefile',
    'scripts/mod/modpost.c',
    'lib/gen_crc32table.c',
    'fs/ext2/x.S',
  ]) {
    await says('001-a.patch', DIFF(path), /could run commands/);
  }
  await says('001-a.patch', `${DIFF('fs/ext2/inode.c')}${DIFF('Makefile')}`, /"Makefile"/);
  const link =
    'diff --git a/fs/ext2/x.c b/fs/ext2/x.c\nnew file mode 120000\n--- /dev/null\n+++ b/fs/ext2/x.c\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n';
  await says('001-a.patch', link, /creates a link/);

  await says('001-a.cocci', '@@ expression E; @@\n- f(E);\n+ g(E);\n');
  for (const text of [
    '@script:python@ x << r.x; @@\nimport os',
    '@ script : ocaml @ @@\n',
    '@initialize:python@ @@\n',
    '@ finalize /* */ : ocaml @ @@\n',
    '@r@ identifier x : script:python() { True }; @@\n',
    '# spatch --python x\n',
    '#include "other.cocci"\n',
    'using "x.iso"\n',
  ]) {
    await says('001-a.cocci', text, /spatch could run a script/);
  }
  const { kept } = keptRun(t, {}, { kconfig: ['kconfig/001-x.config'] });
  t.match(await checkTrust(kept), { ok: false, failure: { message: /which make reads/ } });
  const compiler = keptRun(t, {}, { cc: 'rm' }).kept;
  t.match(await checkTrust(compiler), { ok: false, failure: { message: /compiler "rm"/ } });
  for (const kernel of ['src:/linux', 'image:/x']) {
    const other = keptRun(t, {}, { kernel }).kept;
    t.match(await checkTrust(other), { ok: false, failure: { remedy: /--kernel/ } }, kernel);
  }
});
