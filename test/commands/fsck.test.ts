import { fileURLToPath } from 'node:url';
import t from 'tap';
import { fsckCommand } from '../../cli/commands/fsck.js';

const log = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/logs/${name}`, import.meta.url));

/** Runs the command and captures its output. */
async function run(file: string, options: { json?: boolean } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => out.push(String(text)) > 0;
  process.stderr.write = (text: string | Uint8Array) => err.push(String(text)) > 0;
  try {
    return { code: await fsckCommand(file, options), out, err };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}

t.test('prints one JSON document, as in the contract', async (t) => {
  const { code, out, err } = await run(log('e2fsck-dirblock.log'), { json: true });
  t.equal(code, 1);
  t.strictSame(err, []);
  t.match(JSON.parse(out.join('')), {
    schemaVersion: 1,
    tool: 'e2fsck',
    clean: false,
    completed: false,
    reason: 'e2fsck aborted',
    findings: [{ pass: 2, message: 'Directory inode 12, block #0, offset 0: directory corrupted' }],
    unparsed: { length: 0 },
  });
});

t.test('returns the exit codes of the contract', async (t) => {
  t.equal((await run(log('e2fsck-clean.log'))).code, 0);
  t.equal((await run(log('xfs-repair-clean.log'))).code, 0);
  t.equal((await run(log('xfs-repair-counters.log'))).code, 1);
  t.equal((await run(log('README.md'))).code, 2, 'no such log');
  t.equal((await run(log('absent.log'))).code, 2);
  t.equal((await run(log('.'))).code, 2, 'a directory');
});

t.test('prints text', async (t) => {
  const { out } = await run(log('e2fsck-counts.log'));
  t.match(out.join(''), /^e2fsck 1\.47\.0: not clean, 4 findings\n/);
  const { out: nothing, err } = await run(log('README.md'));
  t.strictSame(nothing, []);
  t.match(
    err.join(''),
    /README\.md: There is no output of e2fsck or xfs_repair in this file\.\n {2}Give the whole/,
  );
});
