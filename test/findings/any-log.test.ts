import { readdirSync } from 'node:fs';
import t from 'tap';
import { FsckReader, parseFsck } from '../../cli/findings/fsck.js';
import { recorded } from './rig.js';

/**
 * Logs as they arrive: truncated, passed through terminals and mailers, or embedded in other
 * programs' files.
 */

const LOGS = readdirSync(new URL('../../fixtures/logs/', import.meta.url)).filter((name) =>
  name.endsWith('.log'),
);
const CLEAN = ['e2fsck-clean.log', 'e2fsck-verbose.log', 'xfs-repair-clean.log'];

function inPieces(bytes: Buffer, size: number) {
  const reader = new FsckReader();
  for (let start = 0; start < bytes.length; start += size) {
    reader.push(bytes.subarray(start, start + size));
  }
  return reader.end();
}

t.test('never finds a truncated log clean', async (t) => {
  for (const name of CLEAN) {
    const log = recorded(name);
    t.ok(parseFsck(log)?.clean, name);
    const whole = log.trimEnd().length;
    const cuts = Array.from({ length: whole }, (_, end) => end);
    t.strictSame(
      cuts.filter((end) => parseFsck(log.slice(0, end))?.clean),
      [],
      `${name}, its end missing`,
    );
    // What precedes it does not matter.
    const phase = log.startsWith('e2fsck') ? 0 : log.indexOf('Phase 1');
    t.strictSame(
      cuts.filter((start) => start > phase && parseFsck(log.slice(start))?.clean),
      [],
      `${name}, its beginning missing`,
    );
  }
});

t.test('neither crashes on a truncated log nor finds a damaged one clean', async (t) => {
  for (const name of LOGS.filter((one) => !CLEAN.includes(one))) {
    const log = recorded(name);
    const step = Math.max(1, Math.floor(log.length / 150));
    for (let at = 0; at < log.length; at += step) {
      for (const part of [log.slice(0, at), log.slice(at)]) {
        if (parseFsck(part)?.clean) t.fail(`${name} is clean when cut at ${at}`);
      }
    }
    t.pass(name);
  }
});

t.test('finds the same however the log is split into pieces', async (t) => {
  for (const name of LOGS) {
    const bytes = Buffer.from(recorded(name).replaceAll('\n', '\r\n').replaceAll('name', 'nämé'));
    const whole = inPieces(bytes, bytes.length);
    for (const size of [1, 7, 64]) t.strictSame(inPieces(bytes, size), whole, `${name} by ${size}`);
  }
});

t.test('accepts all line ends, and terminal sequences', async (t) => {
  for (const name of LOGS) {
    const log = recorded(name);
    const report = parseFsck(log);
    t.strictSame(parseFsck(log.replaceAll('\n', '\r\n')), report, `${name}, CR LF`);
    t.strictSame(
      parseFsck(`\x1b[2J\x1b]0;title\x07${log.replace(/^(.*)$/gm, '\x1b[1;32m$1\x1b[0m\x1b[K')}`),
      report,
      `${name}, colours`,
    );
    t.strictSame(
      parseFsck(log.replace(/^(?=Pass|Phase)/gm, '12/345\b\b\b\b\b\b      \b\b\b\b\b\b')),
      report,
      `${name}, a progress display erased with backspaces`,
    );
  }
});

t.test('takes no proof from a log that lost bytes', async (t) => {
  for (const name of CLEAN) {
    const log = recorded(name);
    t.match(parseFsck(`${log}${'\0'.repeat(5000)}`), { clean: false, unparsed: { length: 2 } });
    t.notOk(parseFsck(log.replace(/ock/, '\0\0\0'))?.clean, `${name}, within it`);
  }
  t.equal(parseFsck('\0'.repeat(10_000)), undefined);
});

t.test('detects another language', async (t) => {
  const german = recorded('e2fsck-clean.log').replace(
    /^Pass 2: .*/m,
    '$&\nDateisystem wurde verändert.  Reparieren? nein\n',
  );
  t.match(parseFsck(german), { clean: false, unparsed: { length: 1 } });
});

t.test('merges endless lists into one finding', async (t) => {
  const log = recorded('e2fsck-counts.log');
  const list = Array.from({ length: 60_000 }, (_, n) => ` -(${n * 9}--${n * 9 + 4})`).join('');
  const long = log.replace(/(Block bitmap differences:).*/, (_, head: string) => head + list);
  const report = inPieces(Buffer.from(long), 1 << 16);
  t.strictSame(
    report?.findings.map((f) => f.signature),
    parseFsck(log)?.findings.map((f) => f.signature),
    'are one finding',
  );
  t.ok((report?.findings[0]?.message.length ?? 0) <= 2000);
  t.strictSame(report?.unparsed, []);
  const broken = inPieces(Buffer.from(long.replace('-(270009--', 'rm -rf')), 1 << 16);
  t.match(
    broken?.unparsed,
    { length: 1 },
    'reports a line within a list that does not belong to it',
  );
});

t.test('keeps other findings in a flood of one message', async (t) => {
  const flood = Array.from(
    { length: 6000 },
    (_, n) => `Inode ${n + 12} has imagic flag set.  Clear? no\n\n`,
  );
  const log = recorded('e2fsck-clean.log').replace(
    /^Pass 2: /m,
    (header) => `${flood.join('')}Inode 99 is in use, but has dtime set.  Fix? no\n\n${header}`,
  );
  const report = parseFsck(log);
  t.match(report?.findings.at(-1), { inode: 99 });
  t.match(report?.omitted, [
    { signature: 'e2fsck:inode-has-imagic-flag-set', severity: 'corruption', count: 5500 },
  ]);
  t.equal(report?.findings.length, 501);
});

const GENERIC = '_check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n';
const section = (name: string, log: string, end = name.split(' ')[0]) =>
  `*** ${name} output ***\n${log}*** end ${end} output\n`;

t.test('reads the output of the checks in a .full file', async (t) => {
  const test = 'mke2fs 1.47.0\nerror: this is what the test says\ndone\n';
  const ext = (log: string) =>
    `${test}${GENERIC}${section('fsck.ext2', `fsck from util-linux 2.38.1\n${log}`)}*** mount output ***\n/dev/pmem0 on /mnt\n*** end mount output\n`;
  t.match(parseFsck(ext(recorded('e2fsck-counts.log'))), {
    tool: 'e2fsck',
    clean: false,
    completed: true,
    findings: { length: 4, 0: { device: '/dev/pmem0' } },
    unparsed: { length: 0 },
  });
  t.equal(parseFsck(test), undefined, 'one without a check');
  const xfs = `${test}_check_xfs_filesystem: filesystem on /dev/pmem1 is inconsistent (r)\n${section('xfs_repair -n', recorded('xfs-repair-entry.log'))}`;
  t.match(parseFsck(xfs), {
    tool: 'xfs_repair',
    completed: true,
    findings: { 0: { device: '/dev/pmem1', inode: 262272 } },
    unparsed: { length: 0 },
  });
  const both = parseFsck(ext(recorded('e2fsck-links.log')) + xfs);
  t.strictSame(new Set(both?.findings.map((f) => f.device)), new Set(['/dev/pmem0', '/dev/pmem1']));
  t.ok(both?.completed);
});

t.test('reports a .full file that is truncated or has unknown parts', async (t) => {
  const log = recorded('e2fsck-clean.log');
  t.match(parseFsck(`${GENERIC}*** fsck.ext4 output ***\n${log}`), {
    clean: false,
    completed: false,
    reason: /ends before "\*\*\* end fsck\.ext4 output"/,
  });
  t.match(parseFsck(GENERIC), { clean: false, unparsed: [GENERIC.trim()] });
  const dirty = '_check_xfs_filesystem: filesystem on /dev/pmem0 has dirty log\n';
  t.match(
    parseFsck(
      `${dirty}${section('xfs_logprint -t', 'xfs_logprint:\n')}${dirty.replace('has dirty log', 'is inconsistent (r)')}${section('xfs_repair -n', recorded('xfs-repair-entry.log'))}`,
    ),
    { clean: false, unparsed: [dirty.trim()] },
  );
  t.match(
    parseFsck(
      recorded('xfs-repair-entry.log') + section('xfs_repair -n', recorded('xfs-repair-clean.log')),
    ),
    { clean: false, findings: [{ inode: 262272 }] },
    'remembers a run before the section',
  );
});
