import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';

const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');

/** Runs .ci/run with an npm whose tests print this text and exit with this code. */
async function ci(t: Test, printed: string, exits: { test: number; check?: number }) {
  const top = t.testdir({
    '.ci': { run: script },
    bin: {
      npm: `#!/bin/sh
case $1 in
run) echo 'npm run check'; exit ${exits.check ?? 0} ;;
esac
[ "$CI" = true ] || exit 9
printf '%b' '${printed}'
exit ${exits.test}
`,
    },
  });
  chmodSync(join(top, 'bin/npm'), 0o755);
  const { exitCode, stdout } = await execa('bash', [join(top, '.ci/run')], {
    cwd: '/',
    env: { PATH: `${join(top, 'bin')}:${process.env['PATH']}`, CI: 'true' },
    reject: false,
  });
  return { exitCode, last: stdout.split('\n').at(-1), stdout };
}

t.test('ends with the totals of the tests', async (t) => {
  const passed = await ci(t, 'ok 1 s\\n12 passed, 0 failed\\n', { test: 0 });
  t.match(passed, { exitCode: 0, last: '12 passed, 0 failed' });
  const mixed = await ci(t, '6 passed, 1 failed, 2 skipped\\n', { test: 1 });
  t.match(mixed, { exitCode: 1, last: '6 passed, 1 failed, 2 skipped' });
  t.match(mixed.stdout, 'npm run check', 'the checks run all the same');
});

t.test('finds the line among binary output', async (t) => {
  const counted = await ci(t, 'ok 1 - \\0000\\0377\\n1 passed, 0 failed\\n', { test: 0 });
  t.match(counted, { exitCode: 0, last: '1 passed, 0 failed' });
});

t.test('does not confuse another line with it', async (t) => {
  const lines = '3 passed, 0 failed\\n    not ok: 9 passed, 9 failed\\n7 passed, 0 failed of 8\\n';
  t.match(await ci(t, lines, { test: 0 }), { exitCode: 0, last: '3 passed, 0 failed' });
});

t.test('fails if npm test or the checks fail, or no test ran', async (t) => {
  const good = '3 passed, 0 failed\\n';
  t.equal((await ci(t, good, { test: 7 })).exitCode, 7);
  t.equal((await ci(t, good, { test: 0, check: 2 })).exitCode, 2);
  t.equal((await ci(t, '3 passed, 1 failed\\n', { test: 0 })).exitCode, 1);
  t.match(await ci(t, '', { test: 0 }), { exitCode: 1, last: '0 passed, 0 failed' });
  const skipped = await ci(t, '0 passed, 0 failed, 4 skipped\\n', { test: 0 });
  t.match(skipped, { exitCode: 1, last: '0 passed, 0 failed, 4 skipped' });
});
