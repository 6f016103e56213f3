import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type ListCommandOptions, listCommand } from '../../cli/commands/list.js';

/** Runs the command and captures its output. */
async function run(patterns: string[], options: ListCommandOptions = {}) {
  let [out, err] = ['', ''];
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => {
    out += String(text);
    return true;
  };
  process.stderr.write = (text: string | Uint8Array) => {
    err += String(text);
    return true;
  };
  try {
    return { code: await listCommand(patterns, options), out, err };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}

const listedIds = (out: string) =>
  out
    .split('\n')
    .flatMap((line) => line.split(' ', 1))
    .slice(0, -1);

t.test('lists all tests in columns', async (t) => {
  const { code, out, err } = await run([]);
  t.equal(code, 0);
  t.equal(err, '');
  const lines = out.trimEnd().split('\n');
  t.ok(lines.length > 10);
  const groupsBegin = new Set(lines.map((line) => line.search(/(?<= {2})\S/)));
  t.equal(groupsBegin.size, 1, 'groups begin in one column');
  t.match(out, /^generic\/002 +auto quick .* {2}hard-link counts/m);
  t.match(out, /^dax\/punch-hole .* \(ext4, xfs only\)$/m);
});

t.test('lists only matching tests', async (t) => {
  t.strictSame(listedIds((await run(['generic/002'])).out), ['generic/002']);
  t.strictSame(listedIds((await run(['dax/mmap'])).out), ['dax/mmap-fsync', 'dax/mmap-msync']);
  t.strictSame(listedIds((await run(['*/sym*'])).out), ['dax/symlinks']);
  t.strictSame(listedIds((await run([], { group: ['scratch'] })).out), ['dax/scratch']);
  t.strictSame(listedIds((await run(['generic', 'symlinks'], { group: ['symlinks'] })).out), [
    'generic/002',
    'dax/symlinks',
  ]);
});

t.test('prints JSON', async (t) => {
  const { code, out } = await run(['generic/002'], { json: true });
  t.equal(code, 0);
  t.match(JSON.parse(out), {
    schemaVersion: 1,
    suite: { name: 'builtin', version: /^[0-9a-f]{12}$/ },
    tests: [{ id: 'generic/002', groups: ['auto', 'quick', 'links', 'metadata'] }],
  });
});

t.test('rejects unknown tests and groups', async (t) => {
  const misspelled = await run(['genric/002'], { json: true });
  t.equal(misspelled.code, 2);
  t.equal(misspelled.out, '');
  t.match(misspelled.err, /Did you mean generic\/002\?/);
  t.equal((await run([], { group: ['symlink'] })).code, 2);
  t.equal((await run(['a+(b'])).code, 2, 'a pattern is not a regular expression');
  t.match((await run(['\u001b[31m'])).err, /\\x1b\[31m/, 'nothing reaches the terminal raw');
});

t.test('lists the tests of an xfstests tree', async (t) => {
  const suite = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));
  const dax = await run(['ext4'], { suite, group: ['dax'] });
  t.equal(dax.code, 0, dax.err);
  t.equal(dax.out, 'generic/007  auto dax  mounts without DAX on purpose\n');
  const json = await run(['ext4', 'generic/001-003'], { suite, json: true, exclude: ['*/002'] });
  t.match(JSON.parse(json.out), {
    suite: { name: 'xfstests' },
    tests: [{ id: 'generic/001', groups: ['auto', 'quick'] }, { id: 'generic/003' }],
  });
  t.match(await run(['ext4', 'generic/404'], { suite }), {
    code: 2,
    err: /no test "generic\/404"/,
  });
  t.match(await run([], { suite: '/nowhere' }), { code: 2, err: /no directory \/nowhere/ });
});
