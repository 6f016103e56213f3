import t from 'tap';
import { brokenPromises, questionsOf } from '../../cli/power-cut/answers.js';
import type { BrokenPromise } from '../../cli/power-cut/broken-promise.js';
import { guaranteesOf } from '../../cli/power-cut/guarantees.js';
import { Ledger } from '../../cli/power-cut/ledger.js';
import { readRecord } from '../../cli/power-cut/records.js';

// What is outstanding at a moment, and what an image's answers say of it. A file system that did as
// the rows say is judged by hand here.

const NO_OPTIONS = { mkfsOptions: '', mountOptions: 'dax' };
const CHECKSUM = '0'.repeat(16);

function ledgerOf(fs: 'ext2' | 'ext4' | 'xfs', ...records: object[]): Ledger {
  const guarantees = guaranteesOf(fs, NO_OPTIONS);
  if (!guarantees) throw new Error('no guarantees');
  const ledger = new Ledger(guarantees);
  for (const record of records) {
    const read = readRecord(JSON.stringify(record));
    if (!read) throw new Error(`no record: ${JSON.stringify(record)}`);
    ledger.add(read);
  }
  return ledger;
}

const create = (name: string, file: number) => ({ kind: 'create', name, file });
const change = (from: number, to: number, file = 1) => ({ kind: 'change', file, from, to });
const names = (...all: [string, number][]) => ({
  kind: 'promise',
  by: 'fsync-directory',
  names: all,
});
const data = (by: string, parts: number[][], size?: number, file = 1, name = 'a') => ({
  kind: 'promise',
  by,
  file,
  name,
  ...(size === undefined ? {} : { size }),
  data: parts,
  checksum: CHECKSUM,
});

function broken(ledger: Ledger, ...answers: string[]): Partial<BrokenPromise>[] | undefined {
  return brokenPromises(ledger.claims(), [...answers, 'end', ''].join('\n'));
}

t.test('what was promised and not changed since has to be there', async (t) => {
  const ledger = ledgerOf(
    'ext2',
    create('a', 1),
    names(['a', 1]),
    data('fsync', [[0, 8192, 17]], 8192),
  );
  t.equal(questionsOf(ledger.claims()), 'name a\ndata 0 8192 17\n');
  t.strictSame(broken(ledger, 'name file 8192', 'data same'), []);
  t.match(broken(ledger, 'name absent', 'data unreadable 2'), [
    { kind: 'name', by: 'fsync-directory', message: 'a is not there' },
  ]);
  t.match(broken(ledger, 'name file 8192', 'data differs 64 127 64 0 65600'), [
    { kind: 'data', by: 'fsync', from: 64, to: 128, position: 65600, wrongBytes: 64 },
  ]);
  t.match(broken(ledger, 'name file 4096', 'data short 4096'), [{ kind: 'size', by: 'fsync' }]);
  t.match(broken(ledger, 'name file 9000', 'data same'), [
    { kind: 'size', message: 'a has 9000 bytes, not 8192' },
  ]);
  t.match(broken(ledger, 'name other', 'data unreadable 2'), [{ kind: 'name' }]);
  t.match(broken(ledger, 'name unreadable 5', 'data unreadable 2'), [{ kind: 'name' }]);
});

t.test('what is being changed may be old or new, and what lies around it may not', async (t) => {
  const ledger = ledgerOf(
    'ext4',
    create('a', 1),
    data('fsync', [[0, 8192, 17]], 8192),
    change(4000, 4100),
  );
  t.equal(questionsOf(ledger.claims()), 'name a\ndata 0 4000 17\ndata 4100 4092 17\n');
  ledger.add(readRecord(JSON.stringify(data('msync', [[4000, 50, 34]]))) as never);
  t.match(questionsOf(ledger.claims()), /data 4000 50 34\ndata 4100/);
  t.match(
    broken(ledger, 'name file 8192', 'data same', 'data differs 4000 4049 50 17 -1', 'data same'),
    [{ by: 'msync', from: 4000, to: 4050 }],
  );
});

t.test('a size that is being changed is not asked for', async (t) => {
  const ledger = ledgerOf(
    'xfs',
    create('a', 1),
    data('fsync', [[0, 100, 17]], 100),
    { kind: 'size', file: 1 },
    change(100, 5000),
  );
  for (const size of [100, 3000, 5000]) {
    t.strictSame(broken(ledger, `name file ${size}`, 'data same'), []);
  }
});

t.test('fsync keeps the name of a new file where a journal holds both', async (t) => {
  const records = [create('a', 1), data('fsync', [[0, 10, 17]], 10)];
  t.strictSame(broken(ledgerOf('ext2', ...records), 'name absent', 'data unreadable 2'), []);
  for (const fs of ['ext4', 'xfs'] as const) {
    t.match(broken(ledgerOf(fs, ...records), 'name absent', 'data unreadable 2'), [
      { kind: 'name' },
    ]);
    // fdatasync does not.
    const data_ = [create('a', 1), data('fdatasync', [[0, 10, 17]], 10)];
    t.strictSame(broken(ledgerOf(fs, ...data_), 'name absent', 'data unreadable 2'), []);
  }
  // Wherever it is found, its content is what fsync promised.
  t.match(broken(ledgerOf('ext2', ...records), 'name file 10', 'data differs 0 9 10 0 -1'), [
    { kind: 'data' },
  ]);
});

const saved = [
  create('a', 1),
  data('fsync', [[0, 10, 17]], 10),
  names(['a', 1]),
  create('new', 2),
  data('fsync', [[0, 20, 34]], 20, 2, 'new'),
  names(['a', 1], ['new', 2]),
  { kind: 'rename', from: 'new', to: 'a', file: 2 },
];

t.test('a rename over another file: the old one or the new one, whole', async (t) => {
  const old = ['name file 10', 'data same', 'data differs 0 9 10 17 -1'];
  const after = ['name file 20', 'data differs 0 9 10 34 -1', 'data same'];
  const there = ['name file 20', 'data same'];
  const gone = ['name absent', 'data unreadable 2'];
  const mixed = ['name file 20', 'data differs 0 9 10 34 -1', 'data differs 10 19 10 0 -1'];
  for (const fs of ['ext4', 'xfs'] as const) {
    const ledger = ledgerOf(fs, ...saved);
    t.strictSame(broken(ledger, ...old, ...there), []);
    t.strictSame(broken(ledger, ...after, ...gone), []);
    t.match(broken(ledger, ...mixed, ...gone), [{ kind: 'data', by: 'fsync', name: 'a' }]);
    const lost = ['name absent', 'data unreadable 2', 'data unreadable 2'];
    t.match(broken(ledger, ...lost, ...there), [{ kind: 'name', name: 'a' }]);
    const done = ledgerOf(fs, ...saved, names(['a', 2], ['new', 0]));
    t.match(broken(done, 'name file 10', 'data differs 0 9 10 17 -1', 'name absent'), [
      { kind: 'data', name: 'a' },
    ]);
    t.match(broken(done, 'name file 20', 'data same', 'name file 20'), [
      { kind: 'name', message: 'new is still there' },
    ]);
  }
});

t.test(
  'of a name that may lead to two files, and leads to neither, the newest is told',
  async (t) => {
    const ledger = ledgerOf('ext4', ...saved);
    const neither = ['name file 20', 'data differs 3 9 7 0 64', 'data differs 5 9 5 0 128'];
    t.match(broken(ledger, ...neither, 'name absent', 'data unreadable 2'), [
      { kind: 'data', name: 'a', from: 5, position: 128, message: /byte 5 is 00, not 22$/ },
    ]);
  },
);

t.test('a file on its way has one of its names at least, where a journal sees to it', async (t) => {
  const moved = [create('a', 1), names(['a', 1]), { kind: 'rename', from: 'a', to: 'b', file: 1 }];
  t.match(broken(ledgerOf('ext4', ...moved), 'name absent', 'name absent'), [{ kind: 'rename' }]);
  t.strictSame(broken(ledgerOf('ext4', ...moved), 'name absent', 'name file 0'), []);
  t.strictSame(broken(ledgerOf('ext2', ...moved), 'name absent', 'name absent'), []);
});

t.test('what was removed may be there until its directory is synchronised', async (t) => {
  const removed = [create('a', 1), names(['a', 1]), { kind: 'unlink', name: 'a' }];
  const ledger = ledgerOf('ext2', ...removed);
  t.strictSame(broken(ledger, 'name file 0'), []);
  t.strictSame(broken(ledger, 'name absent'), []);
  t.match(broken(ledgerOf('ext2', ...removed, names(['a', 0])), 'name file 0'), [{ kind: 'name' }]);
});

t.test('sync promises nothing on ext2, whose device is told nothing', async (t) => {
  const records = [create('a', 1), data('sync', [[0, 10, 17]], 10)];
  t.strictSame(questionsOf(ledgerOf('ext2', ...records).claims()), 'name a\n');
  t.match(questionsOf(ledgerOf('xfs', ...records).claims()), 'data 0 10 17');
});

t.test('answers that are not those to the questions', async (t) => {
  const ledger = ledgerOf('ext4', create('a', 1), data('fsync', [[0, 10, 17]], 10));
  for (const answers of [
    [],
    ['name file 10'],
    ['name file', 'data same'],
    ['name file 10', 'data differs 1 2'],
    ['name file 10', 'data same', 'data same'],
    ['data same', 'name file 10'],
  ]) {
    t.equal(broken(ledger, ...answers), undefined, answers.join(', '));
  }
  t.equal(
    brokenPromises(ledger.claims(), 'name file 10\ndata same\n'),
    undefined,
    'without its end',
  );
});

t.test('marks that are none', async (t) => {
  for (const text of [
    'no JSON',
    '{"kind":"create","name":"../etc/passwd","file":1}',
    '{"kind":"create","name":"a\\nname b","file":1}',
    '{"kind":"promise","by":"x y","names":[]}',
    '{"kind":"change","file":1,"from":-1,"to":2}',
    '{"kind":"unknown"}',
  ]) {
    t.equal(readRecord(text), undefined, text);
  }
});

t.test('options that take guarantees back', async (t) => {
  t.equal(
    guaranteesOf('ext4', { mkfsOptions: '', mountOptions: 'dax=always,nobarrier' }),
    undefined,
  );
  t.equal(guaranteesOf('ext4', { mkfsOptions: '', mountOptions: 'barrier=0' }), undefined);
  t.match(guaranteesOf('ext4', { mkfsOptions: '-O ^has_journal', mountOptions: '' }), {
    recovery: 'repair',
    fsyncKeepsName: false,
  });
  t.match(guaranteesOf('ext4', { mkfsOptions: '', mountOptions: 'data=writeback' }), {
    recovery: 'journal',
  });
});
