import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ProgressEvent } from '../../cli/progress.js';
import { packUserTest } from '../../cli/user-test/pack.js';
import { readUserTest } from '../../cli/user-test/read.js';

const place = t.testdir();
const store = { root: join(place, 'cache') };

function file(name: string, content: string, mode = 0o755): string {
  const path = join(place, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function pack(path: string, options: { with?: string } = {}) {
  const events: ProgressEvent[] = [];
  const test = readUserTest(path, options);
  if (!test.ok) throw new Error(test.failure.message);
  const progress = (event: ProgressEvent) => void events.push(event);
  const packed = await packUserTest(test.value, { store, progress });
  return { packed, notes: events.flatMap((event) => (event.type === 'note' ? [event.text] : [])) };
}

function listed(path: string): string[] {
  return execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n');
}

t.test('packs a script and the directory of --with', async (t) => {
  mkdirSync(join(place, 'data/deep'), { recursive: true });
  writeFileSync(join(place, 'data/deep/file'), 'x');
  const { packed, notes } = await pack(file('a.sh', '#!/bin/bash\ntrue\n'), {
    with: join(place, 'data'),
  });
  if (!packed.ok) throw new Error(packed.failure.message);
  const names = listed(packed.value.file);
  t.ok(names.includes('./run/user-test/test'));
  t.ok(names.includes('./run/user-test/with/deep/file'));
  t.equal(packed.value.bytes, readFileSync(packed.value.file).length);
  t.strictSame(notes, []);
});

t.test('changes with the content of the file, and not with its time', async (t) => {
  const path = file('b.sh', '#!/bin/bash\ntrue\n');
  const first = await pack(path);
  writeFileSync(path, '#!/bin/bash\ntrue\n');
  const same = await pack(path);
  writeFileSync(path, '#!/bin/bash\nfals\n');
  const other = await pack(path);
  if (!first.packed.ok || !same.packed.ok || !other.packed.ok) throw new Error('not packed');
  t.equal(first.packed.value.sha256, same.packed.value.sha256);
  t.not(first.packed.value.sha256, other.packed.value.sha256);
});

t.test('names what neither the guest nor this machine has', async (t) => {
  const { packed, notes } = await pack(file('c.sh', '#!/bin/bash\nno-such-program-here x\n'));
  t.ok(packed.ok);
  t.match(notes, [/neither the guest nor this machine has no-such-program-here$/]);
});

t.test('brings a program of this machine that the guest lacks, with its libraries', async (t) => {
  // A program that no list of ours names: a copy of one, first in PATH.
  const bin = join(place, 'bin');
  mkdirSync(bin);
  execFileSync('cp', ['/bin/true', join(bin, 'own-program')]);
  const path = process.env['PATH'];
  process.env['PATH'] = `${bin}:${path}`;
  t.teardown(() => {
    process.env['PATH'] = path;
  });
  const { packed, notes } = await pack(file('d.sh', '#!/bin/bash\nown-program\n'));
  if (!packed.ok) throw new Error(packed.failure.message);
  t.ok(listed(packed.value.file).includes('./usr/bin/own-program'));
  t.strictSame(notes, []);
});

t.test('refuses a script whose interpreter is not there', async (t) => {
  const { packed } = await pack(file('e.sh', '#!/no/such/interpreter\n'));
  t.match(packed, {
    ok: false,
    failure: { kind: 'usage', message: /needs \/no\/such\/interpreter/ },
  });
});

t.test('compiles C, shows warnings each time, and follows headers', async (t) => {
  file('value.h', '#define VALUE 1\n', 0o644);
  const source = file(
    'f.c',
    '#include "value.h"\nint main(void) { int u; return VALUE; }\n',
    0o644,
  );
  const first = await pack(source);
  const again = await pack(source);
  for (const { packed, notes } of [first, again]) {
    t.ok(packed.ok);
    t.match(notes, [/unused variable/]);
  }
  file('value.h', '#define VALUE 2\n', 0o644);
  const changed = await pack(source);
  if (!first.packed.ok || !changed.packed.ok) throw new Error('not packed');
  t.not(first.packed.value.sha256, changed.packed.value.sha256);
});

t.test('shows what the compiler says of an error', async (t) => {
  const { packed } = await pack(file('g.c', 'int main(void) { return nothing; }\n', 0o644));
  t.match(packed, {
    ok: false,
    failure: { kind: 'usage', message: /does not compile/, detail: /g\.c:1:.*nothing/s },
  });
});
