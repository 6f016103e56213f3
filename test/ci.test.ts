import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';

const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');

/** Runs .ci/run with an npm that prints `summary` as tap would, and exits so. */
async function ci(t: Test, summary: string, exits: { test: number; check?: number }) {
  const top = t.testdir({
    '.ci': { run: script },
    bin: {
      npm: `#!/bin/sh
case $1 in
run) exit ${exits.check ?? 0} ;;
esac
[ "$CI" = true ] || exit 9
printf '%b' '${summary}'
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
  const lines = stdout.split('\n');
  return { exitCode, last: lines.at(-1), lines };
}

t.test('counts what tap counted', async (t) => {
  const passed = await ci(t, '# { total: 12, pass: 12 }\n# time=1ms\n', { test: 0 });
  t.match(passed, { exitCode: 0, last: '12 passed, 0 failed' });
  const mixed = '# { total: 9, pass: 6, fail: 1, todo: 1, skip: 1 }\n';
  t.match(await ci(t, mixed, { test: 1 }), {
    exitCode: 1,
    last: '6 passed, 1 failed, 2 skipped',
  });
});

t.test('counts it among bytes that are no text', async (t) => {
  const counted = await ci(t, 'ok 1 - \\0000\\0377\n# { total: 1, pass: 1 }\n', { test: 0 });
  t.match(counted, { exitCode: 0, last: '1 passed, 0 failed' });
});

t.test('fails where npm test or the checks fail, or no test was run', async (t) => {
  const good = '# { total: 3, pass: 3 }\n';
  t.equal((await ci(t, good, { test: 7 })).exitCode, 7);
  t.equal((await ci(t, good, { test: 0, check: 2 })).exitCode, 2);
  t.match(await ci(t, '', { test: 0 }), { exitCode: 1, last: '0 passed, 0 failed' });
});

t.test('says what was skipped, and why', async (t) => {
  const one = 'ok 1 - a\\n    ok 1 - b # SKIP no QEMU\\n    ok 2 - c # SKIP no QEMU\\n';
  const skipped = await ci(t, `${one}# { total: 3, pass: 1, skip: 2 }\n`, { test: 0 });
  t.equal(skipped.last, '1 passed, 0 failed, 2 skipped');
  const at = skipped.lines.indexOf('Skipped:');
  t.ok(at >= 0);
  t.match(skipped.lines[at + 1], /^ +2 # SKIP no QEMU$/);
});
