import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { recorded, recordedNames } from './rig.js';

const DIRECTORY = 'check-logs';
const log = (name: string) => recorded(`${name}.log`, DIRECTORY);
const read = (name: string) => parseFsck(log(name));

const CLEAN = [
  'e2fsck-1.46.2-days',
  'e2fsck-1.46.2-fntt',
  'e2fsck-1.46.2-fyD',
  'e2fsck-1.46.2-fyc',
  'e2fsck-1.47.0-fntt',
  'e2fsck-1.47.0-fyDv',
  'e2fsck-1.47.0-fycc',
  'e2fsck-1.47.0-fyck',
  'e2fsck-1.47.0-mount-count',
  'e2fsck-1.47.2-fnttv',
  'e2fsck-1.47.4-bmap2extent',
  'e2fsck-1.47.4-fragcheck',
  'e2fsck-1.47.4-last-check-in-future',
  'xfs-repair-5.10.0-L',
  'xfs-repair-5.10.0-nv',
  'xfs-repair-6.1.0-L',
  'xfs-repair-6.1.0-nv',
  'xfs-repair-6.1.0-realtime',
  'xfs-repair-6.13.0-L',
  'xfs-repair-6.13.0-nvv',
  'xfs-repair-7.2.0-external-log',
  'xfs-repair-7.2.0-nv',
];

t.test('finds sound file systems clean, with any option', async (t) => {
  for (const name of CLEAN) {
    const report = read(name);
    t.match(report, { clean: true, completed: true, unparsed: { length: 0 } }, name);
    t.ok(
      report?.findings.every(({ severity }) => severity === 'notice'),
      `${name} has only notices`,
    );
  }
  t.match(log('xfs-repair-6.1.0-nv'), /^Total run time: $/m, 'accepts a run of less than a second');
});

t.test('never finds a clean log clean that is truncated at a line', async (t) => {
  for (const name of CLEAN) {
    const lines = log(name).trimEnd().split('\n');
    const clean = lines.flatMap((_, end) =>
      parseFsck(`${lines.slice(0, end).join('\n')}\n`)?.clean ? [end] : [],
    );
    // Both programs print times and sizes after the line that shows a complete log.
    const last = lines.findIndex((line) =>
      /: \d+\/\d+ files|^ +\d+ files$|^No modify flag set, skipping filesystem|^done$/.test(line),
    );
    t.strictSame(
      clean.filter((end) => end <= last),
      [],
      name,
    );
  }
});

t.test('finds a wrong count in the superblock, though e2fsck exits with 0', async (t) => {
  for (const [name, signature] of [
    ['e2fsck-1.46.2-free-inodes-exit-0', 'e2fsck:free-inodes-count-wrong-counted'],
    ['e2fsck-1.47.0-free-blocks-exit-0', 'e2fsck:free-blocks-count-wrong-counted'],
    ['e2fsck-1.47.4-free-blocks-exit-0', 'e2fsck:free-blocks-count-wrong-counted'],
  ] as const) {
    t.match(
      read(name),
      { clean: false, completed: true, findings: [{ signature, severity: 'repairable' }] },
      name,
    );
  }
});

t.test('finds the same with and without labels', async (t) => {
  const counts = { signature: 'e2fsck:inode-i_blocks-is-should-be', severity: 'repairable' };
  const entry = 'e2fsck:entry-in-directory-has-deleted-unused-inode';
  t.match(read('e2fsck-1.47.4-label-umlaut')?.findings, [counts]);
  t.match(read('e2fsck-1.46.2-label-brackets')?.findings, [counts, { signature: entry }]);
  t.match(read('e2fsck-1.47.0-label-blanks-stopped'), {
    completed: false,
    reason: /preening does not repair/,
    findings: [counts, { signature: 'e2fsck:unattached-inode', fix: 'offered' }],
  });
  t.match(read('e2fsck-1.47.4-label-dash')?.findings, [
    { signature: 'e2fsck:was-not-cleanly-unmounted-check-forced', severity: 'repairable' },
    { signature: 'e2fsck:inode-ref-count-is-should-be' },
  ]);
  t.match(read('e2fsck-1.47.4-label-square-brackets')?.findings, [
    { signature: 'e2fsck:recovering-journal' },
    { signature: 'e2fsck:contains-a-file-system-with-errors-check-forced' },
  ]);
  for (const label of ['root', 'Größe', 'a(b)', '[x]', 'my-data', '2026', "it's", 'Inode', 'ä'])
    for (const form of ['was not cleanly unmounted', 'contains a file system with errors']) {
      const text = `e2fsck 1.47.0 (5-Feb-2023)\nSuperblock has an invalid journal (inode 8).\nClear? no\n\n${label} ${form}, check forced.\n`;
      t.equal(parseFsck(text)?.findings.length, 2, `${label} ${form}`);
    }
});

t.test('never finds a preen log clean: nothing shows that it is complete', async (t) => {
  for (const name of ['e2fsck-1.46.2-fp', 'e2fsck-1.47.0-fpv']) {
    const lines = log(name).split('\n');
    for (let end = 0; end <= lines.length; end += 1) {
      t.not(parseFsck(lines.slice(0, end).join('\n'))?.clean, true, `${name}, ${end} lines`);
      t.not(parseFsck(lines.slice(end).join('\n'))?.clean, true, `${name} from ${end}`);
    }
    t.match(read(name), {
      completed: false,
      reason: /preened \(-p\)/,
      findings: { length: 0 },
      unparsed: { length: 0 },
    });
  }
  t.match(read('e2fsck-1.47.4-fp-repairs'), { completed: false, findings: { length: 2 } });
});

t.test('explains why a program checked nothing, and finds nothing', async (t) => {
  for (const [name, reason] of [
    ['e2fsck-1.47.4-too-old', /too old for the file system/],
    ['e2fsck-1.47.0-no-terminal', /no terminal/],
    ['e2fsck-1.47.4-no-device', /could not open/],
    ['xfs-repair-5.10.0-too-old', /too old for the file system/],
    ['xfs-repair-6.1.0-too-old', /too old for the file system/],
    ['xfs-repair-7.2.0-too-old', /too old for the file system/],
    ['xfs-repair-7.2.0-no-log-device', /could not open/],
    ['xfs-repair-6.13.0-no-realtime-device', /could not open/],
  ] as const) {
    const report = read(name);
    t.match(report, { clean: false, completed: false, reason, unparsed: { length: 0 } }, name);
    t.ok(report?.findings.length, `${name}: has the program's words`);
    t.ok(
      report?.findings.every(({ severity }) => severity === 'notice'),
      `${name}: nothing about the file system`,
    );
  }
});

t.test('reports other languages and their words, and no corruption', async (t) => {
  for (const [name, reason] of [
    ['e2fsck-1.47.0-french', /in French, .*"Passe\s1"/],
    ['e2fsck-1.47.0-spanish', /in Spanish, .*"Paso 1"/],
    ['e2fsck-1.47.0-chinese', /in Chinese, .*"第 1 遍"/],
    ['e2fsck-1.47.0-italian-fp', /not in English .*"CORRETTO"/],
    ['xfs-repair-6.1.0-german', /in German, .*"Phase 1 - Superblock finden/],
    ['xfs-repair-6.1.0-polish', /in Polish, .*"Faza 1"/],
  ] as const) {
    const report = read(name);
    t.match(report, { clean: false, completed: false, reason }, name);
    t.match(report?.reason, /LC_ALL=C/, name);
    t.notOk(
      report?.findings.some(({ severity }) => severity === 'corruption'),
      `${name}: ${JSON.stringify(report?.findings)}`,
    );
  }
  // A German log of a sound file system cannot be proven clean.
  const german = recorded('05-german.log', 'pasted-logs');
  t.equal(parseFsck(german.replace(/^(?:Die|Repar|.*WARN).*\n/gm, ''))?.clean, false);
});

t.test('rates what is left to do after a crash as repairable', async (t) => {
  t.match(read('e2fsck-1.47.0-not-cleanly-unmounted'), {
    completed: true,
    findings: [
      { signature: 'e2fsck:was-not-cleanly-unmounted-check-forced', severity: 'repairable' },
    ],
  });
  t.match(read('e2fsck-1.47.4-orphan-present'), {
    completed: true,
    findings: [
      {
        signature: 'e2fsck:feature-orphan_present-is-set-but-orphan-file-is-clean',
        severity: 'repairable',
      },
    ],
  });
  const clean = recorded('e2fsck-clean.log');
  const orphans = [
    'Orphan file (inode 12) block 0 is not clean.\nClear? no\n\n',
    'Failed to initialize orphan file.\nRecreate? no\n\n',
    'Clearing orphaned inode 14 (uid=0, gid=0, mode=0100644, size=4096)\n',
  ];
  for (const text of orphans) {
    t.match(
      parseFsck(clean.replace(/^\/dev/m, (device) => `${text}${device}`))?.findings,
      { length: 1, 0: { severity: 'repairable' } },
      text,
    );
  }
  t.match(read('xfs-repair-6.13.0-nlinks-repaired')?.findings, [{ severity: 'repairable' }]);
});

t.test('every recorded log is read above', async (t) => {
  const source = recorded('../test/findings/check-logs.test.ts', '.');
  for (const name of recordedNames(DIRECTORY)) {
    t.ok(source.includes(`'${name.replace(/\.log$/, '')}'`), name);
  }
});
