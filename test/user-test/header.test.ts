import t from 'tap';
import { readHeader } from '../../cli/user-test/header.js';

const read = (text: string) => readHeader('repro.sh', text);

t.test('reads settings from comments of every kind', (t) => {
  const samples = [
    '#!/bin/bash\n# daxrepro: size 1G\n',
    '// daxrepro: size 1G\n#include <stdio.h>\n',
    '/* daxrepro: size 1G */\nint main(void) { return 0; }\n',
    '/*\n * daxrepro: size 1G\n */\n',
    '; daxrepro: size 1G\n[job]\n',
    '# daxrepro: size: 1G\n',
    '\n#daxrepro: size=1G\n',
  ];
  for (const sample of samples) {
    t.strictSame(read(sample), { ok: true, value: { size: 2 ** 30 } }, JSON.stringify(sample));
  }
  t.end();
});

t.test('reads every setting', (t) => {
  const header = [
    '#!/bin/bash',
    '# What this is about.',
    '# daxrepro: fs ext4, xfs',
    '# daxrepro: mount-opts noatime,nodiratime',
    '# daxrepro: mkfs-opts -m reflink=1 -b size=4096',
    '# daxrepro: size 512M',
    '# daxrepro: memory 2G',
    '# daxrepro: timeout 5m',
    '# daxrepro: for 30s',
    '# daxrepro: expect fail',
    '# daxrepro: summary loses a directory entry',
    '# daxrepro: cflags -O0 -lm',
    'true',
  ];
  t.strictSame(read(header.join('\n')), {
    ok: true,
    value: {
      fileSystems: ['ext4', 'xfs'],
      mountOptions: 'noatime,nodiratime',
      mkfsOptions: '-m reflink=1 -b size=4096',
      size: 512 * 2 ** 20,
      memory: 2 * 2 ** 30,
      timeout: 300,
      runFor: 30,
      expect: 'fail',
      summary: 'loses a directory entry',
      cflags: '-O0 -lm',
    },
  });
  t.end();
});

t.test('stops at the first line that is no comment', (t) => {
  t.strictSame(read('#!/bin/bash\necho\n# daxrepro: size 1G\n'), { ok: true, value: {} });
  t.end();
});

t.test('reports all mistakes, each with its line', (t) => {
  const found = read('# daxrepro: size huge\n#\n# daxrepro: colour red\n# daxrepro: timeout\n');
  if (found.ok) throw new Error('accepted');
  const all = [found.failure, ...(found.failure.others ?? [])];
  t.strictSame(
    all.map(({ kind, place, message }) => [kind, place?.line, message]),
    [
      ['usage', 1, '"huge" is not a size'],
      ['usage', 3, '"colour" is not a setting of a test'],
      ['usage', 4, '"timeout" has no value'],
    ],
  );
  t.match(all[1]?.remedy, /mount-opts/);
  t.end();
});

t.test('refuses a setting that is there twice', (t) => {
  const found = read('# daxrepro: size 1G\n# daxrepro: size 2G\n');
  t.match(found, { ok: false, failure: { message: '"size" is set twice', place: { line: 2 } } });
  t.end();
});

t.test('does not take names of object properties for settings', (t) => {
  t.match(read('# daxrepro: constructor x\n'), {
    ok: false,
    failure: { message: '"constructor" is not a setting of a test' },
  });
  t.end();
});
