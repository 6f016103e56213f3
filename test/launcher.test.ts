import { chmodSync, existsSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t, { type Test } from 'tap';

/**
 * The real launcher in a checkout with a fake npm and a fake node. Compiling copies the sources;
 * running main.js prints its text and the arguments.
 */

const launcher = readFileSync(new URL('../daxrepro', import.meta.url), 'utf8');

const FAKE_NODE = `#!/bin/sh
case $1 in
--version) echo v20.19.0 ;;
*/bundle.js)
  echo compiling
  out=$2
  cli=\${1%/*}/cli
  grep -q WRONG "$cli/main.ts" && exit 2
  mkdir "$out"
  for source in "$cli"/*.ts; do
    name=\${source##*/}
    cp "$source" "$out/\${name%.ts}.js"
  done ;;
*/dist/main.js)
  [ -z "\${MAIN_FAILS:-}" ] || exit 1
  main=$1
  shift
  printf '<%s>' "$(cat "$main")" "$@" ;;
esac
`;

const FAKE_NPM = `#!/bin/sh
echo "$*" >>"$NPM_LOG"
echo 'added packages'
mkdir -p node_modules/.bin
sleep "\${NPM_SECONDS:-0}"
[ -z "\${NPM_FAILS:-}" ] || exit 1
case $* in *--workspaces=false*) ;; *) : >node_modules/.bin/tap; chmod +x node_modules/.bin/tap ;; esac
: >node_modules/.package-lock.json
`;

function checkout(t: Test) {
  const top = t.testdir({
    bin: { npm: FAKE_NPM, node: FAKE_NODE },
    'with space': {
      daxrepro: launcher,
      'package.json': '{"type":"commonjs"}',
      'package-lock.json': '{}',
      'bundle.js': '',
      test: { 'package.json': '{}' },
      cli: { 'main.ts': 'first' },
      'guest-scripts': { 'image.yaml': '' },
      kernels: { 'catalogue.yaml': '' },
    },
  });
  const root = join(top, 'with space');
  chmodSync(join(root, 'daxrepro'), 0o755);
  chmodSync(join(top, 'bin/npm'), 0o755);
  chmodSync(join(top, 'bin/node'), 0o755);
  const path = `${join(top, 'bin')}:${process.env['PATH']}`;
  const env = { PATH: path, NPM_LOG: join(top, 'npm.log'), DAXREPRO_TOOLS: 'run' };
  return {
    root,
    start: (args: string[] = [], more: { env?: Record<string, string>; file?: string } = {}) =>
      execa(more.file ?? join(root, 'daxrepro'), args, {
        cwd: '/',
        env: { ...env, ...more.env },
        reject: false,
      }),
    npmCalls: () =>
      existsSync(env.NPM_LOG) ? readFileSync(env.NPM_LOG, 'utf8').trimEnd().split('\n') : [],
    env,
    /** Gives a file a time later than that of everything made so far. */
    async write(name: string, text: string) {
      await writeFile(join(root, name), text);
      const later = new Date(Date.now() + 10);
      utimesSync(join(root, name), later, later);
      await sleep(20);
    },
  };
}

t.test('installs and builds once, and leaves stdout to the program', async (t) => {
  const { root, start, npmCalls } = checkout(t);
  const first = await start(['run', 'a b']);
  t.equal(first.stdout, '<first><run><a b>');
  t.match(
    first.stderr,
    /installing npm packages[\s\S]*added packages[\s\S]*building dist[\s\S]*compiling/,
  );
  t.equal(first.exitCode, 0);
  t.match(npmCalls(), [/^ci --workspaces=false .*--ignore-scripts/]);
  const second = await start();
  t.equal(second.stdout, '<first>');
  t.equal(second.stderr, '');
  t.equal(npmCalls().length, 1);
  t.notOk(existsSync(join(root, '.setup')));
});

t.test('starts through symbolic links', async (t) => {
  const { root, start } = checkout(t);
  symlinkSync('with space/daxrepro', join(root, '../relative'));
  symlinkSync(join(root, '../relative'), join(root, '../absolute'));
  t.equal((await start(['x'], { file: join(root, '../absolute') })).stdout, '<first><x>');
});

t.test('builds again if a source is new, changed or gone', async (t) => {
  const { root, start, write, npmCalls } = checkout(t);
  await start();
  await write('cli/main.ts', 'second');
  t.equal((await start()).stdout, '<second>');
  await write('cli/other.ts', 'other');
  await start();
  t.ok(existsSync(join(root, 'dist/other.js')));
  await sleep(20);
  await rm(join(root, 'cli/other.ts'));
  t.match((await start()).stderr, 'building dist');
  t.same((await readdir(join(root, 'dist'))).sort(), ['.built', 'main.js']);
  for (const imported of ['guest-scripts/image.yaml', 'kernels/catalogue.yaml']) {
    await write(imported, 'a: 1');
    t.match((await start()).stderr, 'building dist', imported);
  }
  t.equal(npmCalls().length, 1);
});

t.test('installs again if the lock file changed; keeps the tools of the tests', async (t) => {
  const { start, write, npmCalls } = checkout(t);
  await start();
  await start([], { env: { DAXREPRO_TOOLS: 'all' } });
  t.equal(npmCalls().length, 2);
  t.notMatch(npmCalls()[1], '--workspaces');
  await write('package-lock.json', '{ }');
  await start();
  t.equal(npmCalls().length, 3);
  t.notMatch(npmCalls()[2], '--workspaces');
});

t.test('does not take a failed installation or build for complete', async (t) => {
  const { root, start, write } = checkout(t);
  const failed = await start([], { env: { NPM_FAILS: '1' } });
  t.equal(failed.exitCode, 3);
  t.equal(failed.stdout, '');
  t.match(failed.stderr, 'could not be installed');
  t.notOk(existsSync(join(root, 'node_modules')));
  t.equal((await start(['bisect', 'run'], { env: { NPM_FAILS: '1' } })).exitCode, 128);
  t.equal((await start()).stdout, '<first>');
  await write('cli/main.ts', 'WRONG');
  const wrong = await start();
  t.equal(wrong.exitCode, 3);
  t.match(wrong.stderr, /compiling[\s\S]*do not compile/);
  await write('cli/main.ts', 'right');
  t.equal((await start()).stdout, '<right>');
});

t.test('does not call a commit bad if the program cannot start', async (t) => {
  const { start } = checkout(t);
  await start();
  const step = ['bisect', 'run', 'ext2'];
  t.equal((await start(step)).stdout, '<first><bisect><run><ext2>');
  const failed = await start(step, { env: { MAIN_FAILS: '1' } });
  t.equal(failed.exitCode, 128);
  t.match(failed.stderr, 'cannot start the program');
});

t.test('lets one of two launchers install while the other waits', async (t) => {
  const { start, npmCalls } = checkout(t);
  const env = { NPM_SECONDS: '0.3' };
  const both = await Promise.all([start(['1'], { env }), start(['2'], { env })]);
  t.same(both.map(({ stdout }) => stdout).sort(), ['<first><1>', '<first><2>']);
  t.equal(npmCalls().length, 1);
  t.match(both.map(({ stderr }) => stderr).join(), 'waiting for another set-up');
});

t.test('starts afresh after a kill', async (t) => {
  const { root, start, npmCalls } = checkout(t);
  const killed = start([], { env: { NPM_SECONDS: '0.5' } });
  while (npmCalls().length === 0) await sleep(10);
  killed.kill('SIGKILL');
  // Its npm lives on and holds the lock; execa would wait for its output to end.
  const next = await start();
  await killed;
  t.equal(next.stdout, '<first>');
  t.match(next.stderr, /waiting for another set-up[\s\S]*installing/);
  t.notOk(existsSync(join(root, '.setup')));
});

t.test('reports a missing or old Node.js', async (t) => {
  const { root, start, env } = checkout(t);
  const bin = join(root, '../old');
  await mkdir(bin);
  const none = await start([], { env: { PATH: bin } });
  t.equal(none.exitCode, 3);
  t.match(none.stderr, /Node.js 20.19 or newer is needed and none was found/);
  for (const version of ['v18.19.0', 'v20.18.3', 'v8.0.0', 'nonsense']) {
    await writeFile(join(bin, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    const old = await start([], { env: { PATH: `${bin}:${env.PATH}` } });
    t.equal(old.exitCode, 3);
    t.match(old.stderr, `${bin}/node is ${version}`);
  }
});

t.test('builds into a directory that is relative to the caller', async (t) => {
  const bundle = fileURLToPath(new URL('../bundle.js', import.meta.url));
  const cwd = t.testdir();
  await execa(process.execPath, [bundle, 'out'], { cwd, nodeOptions: [] });
  for (const name of ['main.js', 'daxrepro.1', 'LICENSES.txt']) {
    t.ok(existsSync(join(cwd, 'out', name)), name);
  }
});
