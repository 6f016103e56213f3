import { execFileSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { guestScripts } from '../../cli/guest/manifest.js';
import { findProgramIn } from '../../cli/guest/userland.js';
import { findProgram } from '../../cli/system/programs.js';
import { checkUserlandOption, chooseUserland } from '../../cli/userland/choose.js';
import { makeContext } from '../kernel/context.js';
import { type FakeApt, makeApt } from '../kernel/fake-apt.js';
import { makeProgram } from '../kernel/fixtures.js';

/* The packages of a suite become a system of their own in the cache. */

const skip = ['dpkg-deb', 'ldd'].some((name) => findProgram(name) === undefined);
const packages = parse(readFileSync(new URL('userland.yaml', guestScripts), 'utf8')) as {
  required: string[];
  optional: string[];
};

function setUp(t: Test, without = '') {
  const root = t.testdir({ apt: {}, trees: {} });
  const apt = makeApt(t, join(root, 'apt'));
  const names = [...packages.required, 'gcc', 'libc6-dev'].filter((name) => name !== without);
  for (const name of names) addPackage(apt, root, name);
  addPackage(apt, root, 'libc6');
  apt.wouldInstall([...names, 'libc6'].map((name) => `${name}=1`));
  return { apt, ...makeContext(root) };
}

/** Each has a program of its name; some are as older suites have them. */
function addPackage(apt: FakeApt, root: string, name: string): void {
  const tree = join(root, 'trees', name);
  const directory = name === 'mount' ? 'bin' : 'usr/bin';
  makeProgram(
    join(tree, directory),
    name === 'gcc' ? 'x86_64-linux-gnu-gcc' : name,
    `echo ${name}`,
  );
  if (name === 'libc6') {
    const libraries = join(tree, 'lib/x86_64-linux-gnu');
    mkdirSync(libraries, { recursive: true });
    const loader = realpathSync('/lib64/ld-linux-x86-64.so.2');
    copyFileSync(loader, join(libraries, 'ld-linux-x86-64.so.2'));
  }
  apt.addPackage(name, '1', tree);
}

t.test('is fetched once, and announced', { skip }, async (t) => {
  const { apt, context, notes } = setUp(t);
  const chosen = await chooseUserland({ userland: 'debian:trixie' }, context);
  if (!chosen.ok) throw new Error(chosen.failure.message);
  const userland = chosen.value;
  t.match(userland, { name: 'debian:trixie', key: /^[0-9a-f]{32}$/ });
  for (const name of ['bin', 'sbin', 'lib']) {
    t.ok(lstatSync(join(userland.root, name)).isSymbolicLink(), name);
  }
  for (const name of ['bash', 'mount', 'awk']) {
    const program = findProgramIn(userland, name) ?? '';
    t.match(program, userland.root);
    const said = execFileSync(program, { encoding: 'utf8' });
    t.equal(said, `${name === 'awk' ? 'gawk' : name}\n`);
  }
  const { compiler } = userland;
  const place = compiler?.root ?? '';
  t.same(compiler?.flags, [`--sysroot=${place}`, `-B${place}/usr/bin/`], 'its own assembler');
  t.equal(execFileSync(compiler?.path ?? '', { encoding: 'utf8' }), 'gcc\n');
  t.match(notes(), [
    /Downloading the guest's programs from Debian's trixie, with a compiler: \d+ packages, \d+ MB/,
  ]);
  const before = apt.calls().length;
  t.same((await chooseUserland({ userland: 'debian:trixie' }, context)).ok, true);
  t.equal(apt.calls().length, before);
});

t.test('a suite without a needed package', { skip }, async (t) => {
  const { context } = setUp(t, 'xfsprogs');
  t.match(await chooseUserland({ userland: 'debian:sid' }, context), {
    ok: false,
    failure: { kind: 'usage', message: "Debian's sid has no xfsprogs" },
  });
});

t.test('the forms of the option', (t) => {
  const directory = t.testdir({ file: '' });
  t.same(checkUserlandOption(undefined), { ok: true, value: undefined });
  t.same(checkUserlandOption('host'), { ok: true, value: undefined });
  t.same(checkUserlandOption('debian:sid'), { ok: true, value: 'debian:sid' });
  t.same(checkUserlandOption(directory), { ok: true, value: directory });
  for (const wrong of [
    '',
    'sid',
    'debian:',
    'debian:../x',
    '/',
    '/nowhere',
    join(directory, 'file'),
  ]) {
    t.match(checkUserlandOption(wrong), { ok: false, failure: { kind: 'usage' } }, wrong);
  }
  t.end();
});
