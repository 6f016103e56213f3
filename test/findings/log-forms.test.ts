import t from 'tap';
import { FsckReader, parseFsck } from '../../cli/findings/fsck.js';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import { hostileLines } from './hostile-lines.js';
import { recorded, recordedNames } from './rig.js';

/** Logs with something around their lines: prefixes, JSON, prompts, wrapping. */

const LOGS = [
  'e2fsck-clean.log',
  'e2fsck-verbose.log',
  'e2fsck-links.log',
  'e2fsck-dup.log',
  'e2fsck-dirblock.log',
  'xfs-repair-clean.log',
  'xfs-repair-entry.log',
  'xfs-repair-inode.log',
];

const two = (n: number) => String(n % 60).padStart(2, '0');
const clock = (n: number) => `12:${two(n >> 1)}:${two(n * 7)}`;

type Form = (line: string, n: number) => string;
const PREFIXES: Record<string, Form> = {
  'a journal': (line, n) => `Nov  ${1 + (n % 9)} ${clock(n)} host systemd-fsck[4711]: ${line}`,
  'a journal with ISO times': (line, n) =>
    `2026-11-30T${clock(n)}+0000 host.example e2fsck[${99 + n}]: ${line}`,
  'syslog with a priority': (line, n) => `<30>Nov 30 ${clock(n)} host sh[7]: ${line}`,
  kmsg: (line, n) => `[${(n * 7.3 + 3).toFixed(6).padStart(12)}] systemd-fsck[417]: ${line}`,
  'kmsg with a level': (line, n) => `<6>[${(n * 1.5).toFixed(6).padStart(12)}] fsck: ${line}`,
  'a clock': (line, n) => `${clock(n)} ${line}`,
  'a clock in brackets': (line, n) => `[${clock(n)}] ${line}`,
  'a clock of twelve hours': (line, n) => `(${two(n % 12)}:00:01 ${n % 2 ? 'PM' : 'AM'}) ${line}`,
  'ISO times': (line, n) => `2026-11-30T${clock(n)}.${n * 13}Z ${line}`,
  'a build server': (line, n) => `[2026-11-30T${clock(n)}.123Z] ${line}`,
  'a container and its stream': (line, n) =>
    `2026-11-30T${clock(n)}.5Z ${n % 3 ? 'stdout' : 'stderr'} F ${line}`,
  'a service in front': (line) => `checker_1  | ${line}`,
  'a level': (line, n) => `2026-11-30 ${clock(n)},123 ${n % 2 ? 'INFO' : 'WARNING'} ${line}`,
  quotation: (line) => `> ${line}`,
  'quotation twice': (line) => `>> ${line}`,
  'quotation of code': (line) => `>     ${line}`,
  'a bar': (line) => `| ${line}`,
  indentation: (line) => `    ${line}`,
  'a tab': (line) => `\t${line}`,
  'numbers of lines': (line, n) => `${String(n + 1).padStart(6)}\t${line}`,
  'numbers with colons': (line, n) => `${n + 1}: ${line}`,
  'the name of a file': (line) => `fsck.log:${line}`,
  'the name of a host': (line) => `node3: ${line}`,
  'a word in brackets': (line) => `[fsck] ${line}`,
};

function linesOf(log: string): string[] {
  return log.trimEnd().split('\n');
}

t.test('finds the same whatever prefix all lines share', async (t) => {
  for (const name of LOGS) {
    const expected = parseFsck(recorded(name));
    for (const [what, form] of Object.entries(PREFIXES)) {
      const lines = linesOf(recorded(name)).map(form);
      t.strictSame(parseFsck(`${lines.join('\n')}\n`), expected, `${name}, ${what}`);
      // Empty lines lose their trailing blanks.
      const trimmed = lines.map((line) => line.trimEnd());
      t.strictSame(parseFsck(trimmed.join('\n')), expected, `${name}, ${what}, trimmed`);
    }
  }
});

t.test('ignores other programs in the same journal', async (t) => {
  const at = (n: number, who: string, line: string) =>
    `Nov 30 ${clock(n)} host ${who}[${n}]: ${line}`;
  const around = (log: string) =>
    [
      at(0, 'systemd', 'Starting systemd-fsck@dev-sda1.service - File System Check...'),
      ...linesOf(log).flatMap((line, n) => [
        at(n, 'systemd-fsck', line),
        at(n, 'kernel', 'EXT4-fs (sdb1): error count since last fsck: 3'),
      ]),
      at(9, 'systemd', 'systemd-fsck@dev-sda1.service: Failed with result "exit-code".'),
    ].join('\n');
  for (const name of LOGS) {
    const expected = parseFsck(recorded(name));
    const report = parseFsck(around(recorded(name)));
    t.strictSame(report?.findings, expected?.findings, name);
    t.equal(report?.completed, expected?.completed, name);
  }
});

const JSON_FORMS: Record<string, (log: string) => string> = {
  'one string': (log) => JSON.stringify({ cmd: ['e2fsck', '-fn', '/dev/sdb'], rc: 4, stdout: log }),
  'one string, indented': (log) => JSON.stringify({ host: 'a', output: log }, undefined, 2),
  'two strings': (log) => {
    const [first = '', ...rest] = log.split('\n');
    return JSON.stringify({ changed: false, stderr: `${first}\n`, stdout: rest.join('\n') });
  },
  'a list of lines': (log) => JSON.stringify({ stdout_lines: linesOf(log) }),
  'a list of lines, indented': (log) => JSON.stringify({ lines: linesOf(log) }, undefined, 4),
  'an object a line': (log) =>
    linesOf(log)
      .map((line, n) => JSON.stringify({ time: clock(n), level: 'info', message: line }))
      .join('\n'),
  'an object a line, with its line break': (log) =>
    linesOf(log)
      .map((line) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: clock(1) }))
      .join('\n'),
  'the journal': (log) =>
    linesOf(log)
      .map((line) => JSON.stringify({ _HOSTNAME: 'h', MESSAGE: line, PRIORITY: '6' }))
      .join('\n'),
  'bytes of Python': (log) =>
    `b'${log.replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`,
  'without quotation marks': (log) => log.replaceAll('\n', '\\n').replaceAll('\t', '\\t'),
};

t.test('reads logs in JSON', async (t) => {
  for (const name of LOGS) {
    // A log with two strings has its first line elsewhere, as when the streams are separate.
    const expected = parseFsck(recorded(name));
    for (const [what, form] of Object.entries(JSON_FORMS)) {
      if (what === 'two strings' && !name.startsWith('e2fsck')) continue;
      const text = form(recorded(name));
      t.strictSame(parseFsck(text), expected, `${name}, ${what}`);
      const reader = new FsckReader();
      for (let at = 0; at < text.length; at += 97) reader.push(text.slice(at, at + 97));
      t.strictSame(reader.end(), expected, `${name}, ${what}, in pieces`);
    }
  }
});

t.test('never finds a truncated log in JSON clean', async (t) => {
  const text = JSON.stringify({ stdout: recorded('e2fsck-clean.log') });
  for (let end = 0; end < text.length - 4; end += 3) {
    t.not(parseFsck(text.slice(0, end))?.clean, true, `${end} characters`);
  }
});

/** The report without how it was read. */
const findingsOf = (report: FsckReport | undefined) => [
  report?.clean,
  report?.completed,
  report?.findings.map(({ message, severity, fix }) => [message, severity, fix]),
];

t.test("ignores a shell's prompts, traces and other commands", async (t) => {
  const session = (log: string, command: string, prompt: string) =>
    [
      `${prompt}umount /mnt`,
      'umount: /mnt: target is busy.',
      `${prompt}umount -l /mnt; dmesg | tail -1`,
      '[   12.345678] EXT4-fs error (device sdb1): ext4_lookup:1855: inode #2: bad entry',
      `${prompt}${command}`,
      ...linesOf(log),
      `${prompt}echo $?`,
      '4',
      `${prompt}`,
    ].join('\n');
  const prompts = ['root@host:~# ', '[root@host tmp]# ', 'user@host /mnt $ ', '(initramfs) '];
  for (const name of LOGS) {
    const expected = parseFsck(recorded(name));
    const command = name.startsWith('e2fsck') ? 'e2fsck -fn /dev/sdb1' : 'xfs_repair -n /dev/sdb1';
    for (const prompt of prompts) {
      t.strictSame(parseFsck(session(recorded(name), command, prompt)), expected, name + prompt);
    }
    const traced = `+++ ${command}\n${recorded(name)}+ exit 1\n+ popd\n`;
    t.strictSame(parseFsck(traced), expected, `${name}, a trace`);
  }
});

t.test('ends a killed run at a prompt', async (t) => {
  for (const name of ['e2fsck-clean.log', 'xfs-repair-clean.log']) {
    const lines = linesOf(recorded(name));
    const cut = `${lines.slice(0, 4).join('\n')}\nroot@host:~# ls\n${lines.at(-1)}\n`;
    t.match(parseFsck(cut), { clean: false, completed: false }, name);
  }
});

t.test('ignores lines before and after a check', async (t) => {
  const log = recorded('e2fsck-clean.log');
  const harmless = [
    'mke2fs 1.47.0 (5-Feb-2023)',
    'Creating filesystem with 6144 4k blocks and 1536 inodes',
    'Script started on 2026-11-30 13:00:00+00:00',
    'real\t0m0.123s',
    'Exit code: 0',
    '[  OK  ] Reached target local-fs.target - Local File Systems.',
  ];
  for (const line of harmless) {
    t.match(
      parseFsck(`${line}\n${log}`),
      { clean: true, unparsed: { length: 0 } },
      `before: ${line}`,
    );
    t.match(
      parseFsck(`${log}${line}\n`),
      { clean: true, unparsed: { length: 0 } },
      `after: ${line}`,
    );
  }
  const alarming = [
    'fsck failed with exit status 4.',
    'Segmentation fault (core dumped)',
    'e2fsck: Input/output error while closing /dev/sdb1',
    'Killed',
  ];
  for (const line of alarming) {
    t.equal(parseFsck(`${log}${line}\n`)?.clean, false, `after: ${line}`);
  }
  // A message of e2fsck after its summary belongs to another run, whose beginning is lost.
  t.match(parseFsck(`${log}Inode 12 is in use, but has dtime set.  Fix? no\n`), {
    clean: false,
    findings: { length: 1 },
  });
  t.equal(parseFsck(harmless.join('\n')), undefined, 'and without one');
  t.equal(parseFsck('bash: xfs_repair: command not found\n'), undefined);
  t.equal(parseFsck('sh: 1: e2fsck: not found\n'), undefined);
});

function wrapped(log: string, width: number): string {
  return log
    .split('\n')
    .map((line) => {
      const lines: string[] = [];
      let rest = line;
      for (;;) {
        const at = rest.length > width ? rest.lastIndexOf(' ', width) : -1;
        if (at <= 0) return [...lines, rest].join('\n');
        lines.push(rest.slice(0, at));
        rest = rest.slice(at + 1);
      }
    })
    .join('\n');
}

t.test('rejoins lines that a mailer wrapped', async (t) => {
  for (const name of LOGS) {
    const log = recorded(name).replaceAll('/dev/pmem0', '/dev/mapper/vg0-home_of_many_people');
    for (const width of [72, 76, 78]) {
      const expected = findingsOf(parseFsck(log));
      t.strictSame(findingsOf(parseFsck(wrapped(log, width))), expected, `${name} at ${width}`);
      const quoted = wrapped(log, width).replace(/^/gm, '> ');
      t.strictSame(findingsOf(parseFsck(quoted)), expected, `${name} at ${width}, quoted`);
    }
  }
});

t.test('never takes a log with hostile lines for clean', async (t) => {
  for (const line of hostileLines(4000)) {
    const text = `${`${line}\n`.repeat(5)}e2fsck 1.47.0 (5-Feb-2023)\n${line}\n`;
    t.notOk(parseFsck(text)?.clean, line.slice(0, 20));
  }
});

t.test('reads the logs of the other tests in a journal', async (t) => {
  for (const directory of ['check-logs', 'pasted-logs']) {
    for (const name of recordedNames(directory)) {
      const log = recorded(name, directory);
      const report = parseFsck(log);
      const journal = linesOf(log).map((line, n) => `Nov 30 ${clock(n)} host sh[7]: ${line}`);
      t.strictSame(
        findingsOf(parseFsck(journal.join('\n'))),
        findingsOf(report),
        `${directory}/${name}`,
      );
    }
  }
});
