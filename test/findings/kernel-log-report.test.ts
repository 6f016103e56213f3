import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { KernelLogReader } from '../../cli/findings/kernel-log-report.js';
import { recorded } from './rig.js';

/** Kernel logs as people paste them. */

function read(text: string | Buffer, size = text.length) {
  const reader = new KernelLogReader();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  return reader.end();
}
const signatures = (text: string) => read(text)?.findings.map(({ signature }) => signature);

/** Two findings, one of several lines, among messages of a healthy kernel. */
const LINES = [
  'Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org)',
  'EXT4-fs (pmem0): mounted filesystem with ordered data mode. Quota mode: none.',
  'BUG: KASAN: use-after-free in ext2_get_block+0x1c/0x50 [ext2]',
  'Read of size 8 at addr ffff888103a2b840 by task fsx/812',
  'CPU: 0 PID: 812 Comm: fsx Not tainted 6.1.0-56-amd64 #1',
  'Call Trace:',
  ' dump_stack_lvl+0x44/0x5c',
  ' ext2_get_block+0x1c/0x50 [ext2]',
  '==================================================================',
  'pmem0: writeback error on inode 131, offset 4096, sector 2048',
];
const EXPECTED = ['kernel:kasan:ext2_get_block:use-after-free', 'kernel:io-error:writeback-error'];

const two = (at: number) => String(at).padStart(2, '0');
const JSON_OF_JOURNAL = (line: string) =>
  JSON.stringify({ _TRANSPORT: 'kernel', PRIORITY: '3', MESSAGE: line, _HOSTNAME: 'host' });

/** Each form, as a function of a line. */
const FORMS: Record<string, (line: string, at: number) => string> = {
  'dmesg -t': (line) => line,
  dmesg: (line, at) => `[   12.0000${two(at)}] ${line}`,
  'a serial console with callers': (line, at) => `[   12.0000${two(at)}][  T${at + 7}] ${line}`,
  'a caller after a blank': (line, at) => `[   12.0000${two(at)}] [    C${at % 2}] ${line}`,
  'dmesg -T': (line, at) => `[Mon Nov 30 13:00:${two(at)} 2026] ${line}`,
  'dmesg -x': (line, at) => `kern  :err   : [   12.0000${two(at)}] ${line}`,
  'dmesg -x -T': (line, at) => `kern  :warn  : [Mon Nov  3 13:00:${two(at)} 2026] ${line}`,
  'dmesg -r': (line, at) => `<4>[   12.0000${two(at)}] ${line}`,
  'dmesg -d': (line, at) => `[   12.0000${two(at)} <    0.000012>] ${line}`,
  'dmesg -H': (line, at) => (at === 0 ? `[Nov30 13:00] ${line}` : `[  +0.0000${two(at)}] ${line}`),
  'dmesg --time-format iso': (line, at) => `2026-11-30T13:00:${two(at)},123456+01:00 ${line}`,
  '/dev/kmsg': (line, at) => `4,${1234 + at},120000${two(at)},-;${line}`,
  'journalctl -k': (line, at) => `Nov 30 13:00:${two(at)} host kernel: ${line}`,
  'journalctl -k --no-hostname': (line, at) => `Nov  3 13:00:${two(at)} kernel: ${line}`,
  'journalctl -o short-precise': (line, at) =>
    `Nov 30 13:00:${two(at)}.000012 host.example kernel: ${line}`,
  'journalctl -o short-iso': (line, at) => `2026-11-30T13:00:${two(at)}+0100 host kernel: ${line}`,
  'journalctl -o short-full': (line, at) =>
    `Mon 2026-11-30 13:00:${two(at)} UTC host kernel: ${line}`,
  'journalctl -o short-unix': (line, at) => `17645040${two(at)}.123456 host kernel: ${line}`,
  'journalctl -o short-monotonic': (line, at) => `[   12.0000${two(at)}] host kernel: ${line}`,
  'journalctl -o json': JSON_OF_JOURNAL,
  'journalctl -o json, as bytes': (line) =>
    JSON.stringify({ _TRANSPORT: 'kernel', MESSAGE: [...Buffer.from(line)] }),
  syslog: (line, at) => `Nov 30 13:00:${two(at)} host kernel: [   12.0000${two(at)}] ${line}`,
  'syslog with ISO times': (line, at) =>
    `2026-11-30T13:00:${two(at)}.000001+01:00 host kernel: [   12.0000${two(at)}] ${line}`,
  'a build server': (line, at) =>
    `2026-11-30T13:00:${two(at)}.1234567Z [   12.0000${two(at)}] ${line}`,
  'a clock in brackets': (line, at) =>
    `[2026-11-30 13:00:${two(at)}.123] [   12.0000${two(at)}] ${line}`,
  'a clock and no stamp': (line, at) => `13:00:${two(at)}.123 ${line}`,
  'a mail': (line, at) => `> > [   12.0000${two(at)}] ${line}`,
  'a mail without stamps': (line) => `> ${line}`,
  indentation: (line) => `    ${line}`,
  'a prefix of containers': (line) => `web-1  | ${line}`,
  'a prefix that changes': (line, at) => `node${at % 3} console(${at}): ${line}`,
  'docker logs': (line, at) =>
    JSON.stringify({
      log: `[   12.0000${two(at)}] ${line}\n`,
      stream: 'stdout',
      time: '2026-11-30T13:00:00Z',
    }),
};

t.test('finds the same in each form of a log', async (t) => {
  for (const [form, make] of Object.entries(FORMS)) {
    for (const end of ['\n', '\r\n']) {
      const text = LINES.map(make).join(end);
      const report = read(text);
      const found = report?.findings.map(({ signature }) => signature);
      t.strictSame(found, EXPECTED, `${form}${end === '\n' ? '' : ', CR LF'}`);
      t.match(report, { release: '6.1.0-56-amd64', completed: true, clean: false }, form);
      t.match(report?.findings[0], { function: 'ext2_get_block', module: 'ext2' }, form);
    }
  }
});

t.test('finds a healthy log clean in each form', async (t) => {
  for (const [form, make] of Object.entries(FORMS)) {
    const text = LINES.slice(0, 2).map(make).join('\n');
    t.match(read(text), { clean: true, findings: { length: 0 } }, form);
  }
});

t.test('reads documents of several lines', async (t) => {
  const stamped = LINES.map(FORMS['dmesg'] as (line: string, at: number) => string);
  const documents = {
    'one string': JSON.stringify({ dmesg: `${stamped.join('\n')}\n` }),
    'one string, unstamped': JSON.stringify(LINES.join('\r\n')),
    'an array': JSON.stringify({ console: { lines: stamped } }),
    'an array, a line for each': JSON.stringify(LINES, undefined, 2),
    'a journal, a line for each field': JSON.stringify(
      LINES.map((line) => ({ PRIORITY: '3', MESSAGE: line })),
      undefined,
      '\t',
    ),
    'a string that was cut': JSON.stringify({ log: `${stamped.join('\n')}\n` }).slice(0, -3),
    'in colours': stamped.map((line) => `\x1b[31m${line}\x1b[0m`).join('\n'),
    'in colours, as JSON': JSON.stringify({
      log: stamped.map((line) => `\x1b[31m${line}\x1b[0m`).join('\n'),
    }),
  };
  for (const [form, text] of Object.entries(documents)) {
    t.strictSame(signatures(text), EXPECTED, form);
  }
  const long = [...Array(500).fill('[    1.000000] ACPI: nothing'), ...stamped];
  for (const size of [1, 100, 5000, 1 << 20]) {
    const report = read(JSON.stringify({ log: long.join('\n') }), size);
    t.match(report?.findings, { length: 2 }, `a string of many lines, ${size} bytes at a time`);
  }
});

t.test('rejoins lines that a mailer wrapped', async (t) => {
  const wrapped = [
    '[   12.000001] XFS (pmem0): Metadata corruption detected at',
    'xfs_agf_verify+0x5d/0x110 [xfs], xfs_agf block 0x1',
    '[   12.000002] EXT4-fs error (device pmem1): ext4_lookup:1785: inode #12:',
    'comm ls: iget: bogus i_mode (0)',
    '[   12.000003] EXT4-fs (pmem2): shut down requested (1)',
  ];
  const expected = [
    'kernel:fs-error:ext4:ext4_lookup:inode-iget-bogus-i_mode',
    'kernel:fs-error:xfs:xfs_agf_verify:metadata-corruption-detected',
    'kernel:fs-error:ext4:shut-down-requested',
  ];
  t.strictSame(signatures(wrapped.join('\n'))?.sort(), expected.sort());
  t.strictSame(signatures(wrapped.map((line) => `> ${line}`).join('\n'))?.sort(), expected.sort());
  t.match(
    read(
      '[   12.000002] EXT4-fs error (device pmem1): ext4_lookup:1785: inode #12: comm ls: bad\nls: cannot access x\n',
    )?.findings,
    [{ message: /: bad$/ }],
    "does not take a program's line for a continuation",
  );
  const long = `[   12.000001] ${'x'.repeat(120)}`;
  t.match(
    read(
      `${long}\n[   12.000002] EXT4-fs error (device pmem1): f:1: inode #12: comm ls: bad\nabc\n`,
    )?.findings,
    [{ message: /: bad$/ }],
    'none, if lines are longer than a mailer leaves them',
  );
});

t.test('ignores other programs in the log', async (t) => {
  const text = [
    'root@guest:~# dmesg | tail',
    'Nov 30 13:00:00 host systemd[1]: BUG: this is what a program says',
    'Nov 30 13:00:00 host daemon: WARNING: CPU: 0 PID: 1 at fs/dax.c:1 f+0x1/0x2',
    'Nov 30 13:00:01 host kernel: XFS (pmem0): Mounting V5 Filesystem',
    JSON.stringify({ _TRANSPORT: 'stdout', MESSAGE: 'BUG: this too' }),
    'root@guest:~# [   12.000001] pmem0: writeback error on inode 131, offset 4096, sector 2048',
    '[root@host ~]# echo $?',
  ].join('\n');
  t.strictSame(signatures(text), ['kernel:io-error:writeback-error']);
});

t.test('rejects what is not a kernel log', async (t) => {
  for (const text of ['', '\n \n', 'hello\nworld\n', '{"a": 1}', '2026-11-30T13:00:00Z done\n']) {
    t.equal(read(text), undefined, text);
  }
  for (const name of readdirSync(new URL('../../fixtures/logs/', import.meta.url))) {
    t.equal(read(recorded(name)), undefined, name);
  }
  const reader = new KernelLogReader();
  reader.push('e2fsck 1.44.1 (24-Mar-2018)\nJBD2: Invalid checksum recovering block 5 in log\n');
  t.equal(reader.end(), undefined, "e2fsck's own journal code");
  t.ok(reader.isCheck);
  t.equal(read(Buffer.alloc(100_000)), undefined);
});

t.test('reports missing lines', async (t) => {
  for (const line of [
    '** 12 printk messages dropped **',
    '[    1.000000] ** 12 printk messages dropped **',
    'Nov 30 13:00:00 host systemd-journald[123]: Missed 5 kernel messages',
  ]) {
    const report = read(`[    1.000000] Linux version 6.1.0\n${line}\n`);
    t.match(report, { clean: false, completed: false, reason: /dropped|missed/ }, line);
  }
});

t.test('counts a flood of one message, and keeps other findings', async (t) => {
  const flood = Array.from(
    { length: 5000 },
    (_, n) => `[    1.000000] EXT4-fs error (device pmem0): f:1: inode #${n}: comm ls: bad\n`,
  );
  const report = read(`${flood.join('')}[    2.000000] kernel BUG at fs/dax.c:1!\n`);
  t.equal(report?.findings.length, 21);
  t.match(report?.findings.at(-1), { kind: 'bug' });
  t.strictSame(report?.omitted, [
    { signature: 'kernel:fs-error:ext4:f:inode-bad', severity: 'corruption', count: 4980 },
  ]);
});

t.test('finds the same in every log of a run as in the run', async (t) => {
  const directory = new URL('../../fixtures/kernel-logs/', import.meta.url);
  const { scanKernelLog } = await import('../../cli/findings/kernel-log.js');
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.log'))) {
    const text = readFileSync(new URL(name, directory), 'utf8');
    const plain = scanKernelLog(text);
    t.strictSame(
      read(text)?.findings.map((f) => f.signature),
      plain.map((f) => f.signature),
      name,
    );
    t.equal(
      read(text)?.clean,
      plain.every(({ severity }) => severity === 'notice'),
      name,
    );
  }
});
