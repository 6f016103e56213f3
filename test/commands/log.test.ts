import { fileURLToPath } from 'node:url';
import t from 'tap';
import { logCommand } from '../../cli/commands/log.js';

const log = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

/** Runs the command and captures its output. */
async function run(file: string, options: { json?: boolean } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => out.push(String(text)) > 0;
  process.stderr.write = (text: string | Uint8Array) => err.push(String(text)) > 0;
  try {
    return { code: await logCommand(file, options), out: out.join(''), err: err.join('') };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}

t.test('prints one JSON document', async (t) => {
  const { code, out, err } = await run(log('kernel-logs/slab.log'), { json: true });
  t.equal(code, 1);
  t.equal(err, '');
  t.match(JSON.parse(out), {
    schemaVersion: 1,
    tool: 'kernel',
    release: '6.1.0-56-amd64',
    clean: false,
    completed: true,
    findings: [
      {
        tool: 'kernel',
        kind: 'slab',
        severity: 'corruption',
        function: 'xfs_iget',
        module: 'xfs',
        message: 'BUG xfs_inode (Tainted: G    B  W  O      ): Poison overwritten',
        signature: 'kernel:slab:xfs_inode:xfs_iget:poison-overwritten',
      },
      {},
      {},
    ],
  });
});

t.test('returns the exit codes', async (t) => {
  t.equal((await run(log('kernel-logs/lockdep-limits.log'))).code, 0, 'nothing but a notice');
  t.equal((await run(log('kernel-logs/xfs-events.log'))).code, 1);
  t.equal((await run(log('kernel-logs/README.md'))).code, 2, 'no such log');
  t.equal((await run(log('logs/e2fsck-counts.log'))).code, 2, 'a log of a check');
  t.equal((await run(log('kernel-logs/absent.log'))).code, 2);
  t.equal((await run(log('.'))).code, 2, 'a directory');
});

t.test('prints text', async (t) => {
  const { out } = await run(log('kernel-logs/slab.log'));
  t.match(
    out,
    /^kernel 6\.1\.0-56-amd64: not clean, 3 findings\n {2}kernel \(corruption\): BUG xfs_inode .*\n {4}slab in xfs_iget \[xfs\]\n {4}kernel:slab:xfs_inode:/,
  );
  const check = await run(log('logs/e2fsck-counts.log'));
  t.equal(check.out, '');
  t.match(check.err, /output of a file-system check.*\n {2}Use `daxrepro fsck` for it/);
});
