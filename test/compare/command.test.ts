import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { z } from 'zod';
import { ContractRun } from '../util/contract.js';
import { fakeMachine } from '../util/fake-machine.js';
import { lives, readLog, type Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';

/**
 * `daxrepro compare` from its command line, with a fake QEMU. A kernel that is only an image has no
 * sources, so its variants with changes cannot be prepared. Some tests rely on that.
 */

const { top, main, bin, bzImage } = fakeMachine(t, { 'a.patch': 'diff' });

const SIGNATURE = 'e2fsck:directory-inode-block-offset-directory-corrupted';

/** The JSON of `compare`: that of `run`, with the fields that the contract adds. */
const ContractCompare = ContractRun.extend({
  case: z.unknown().refine((value) => value !== undefined),
  units: z.array(
    ContractRun.shape.units.element.extend({
      expected: z.object({ verdict: z.string(), signature: z.string().optional() }).nullable(),
      held: z.boolean(),
    }),
  ),
});

let cases = 0;

function start(steps: Step[], args: string[]) {
  cases += 1;
  const place = join(top, 'cases', String(cases));
  mkdirSync(place);
  const script = join(place, 'script.json');
  writeFileSync(script, JSON.stringify(steps));
  const log = join(place, 'qemu.log');
  const child = execa(
    'env',
    [
      ...['-u', 'NODE_OPTIONS', process.execPath, main, 'compare'],
      ...['--kernel', `image:${bzImage}`, '--accel', 'tcg', '--no-checkpoint', ...args],
    ],
    {
      env: {
        PATH: `${bin}:${process.env['PATH']}`,
        HOME: join(place, 'home'),
        XDG_CACHE_HOME: join(top, 'cache'),
        XDG_STATE_HOME: join(place, 'state'),
        FAKE_QEMU_SCRIPT: script,
        FAKE_QEMU_LOG: log,
      },
      reject: false,
    },
  );
  return { child, place, log: () => readLog(log) };
}

/** A case with the base alone, or with a variant that cannot be prepared. */
function caseFile(expect: string, variants = '{base: []}'): string {
  const file = join(top, 'case.yaml');
  writeFileSync(
    file,
    `variants: ${variants}\nfilesystems: ext4\ntests: generic/002\nexpect: ${expect}\n`,
  );
  return file;
}

const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });

t.test('reports whether expectations hold', async (t) => {
  const fail = `{cells: [{fs: ext4, verdict: fail, signature: "${SIGNATURE}"}]}`;
  const runs: [code: number, held: boolean, steps: Step[], expect: string][] = [
    [0, true, unitSteps(), 'pass'],
    [1, false, CORRUPT, 'pass'],
    [0, true, CORRUPT, fail],
    [1, false, CORRUPT, '{cells: [{verdict: fail, signature: "e2fsck:another"}]}'],
    [1, false, unitSteps(), fail],
    [3, false, unitSteps({ proof: { options: 'rw,relatime' } }), 'pass'],
    [0, true, CORRUPT, '{}'],
  ];
  for (const [code, held, steps, expect] of runs) {
    const { exitCode, stdout, stderr } = await start(steps, [caseFile(expect), '--json']).child;
    t.equal(exitCode, code, `${expect} ${stderr}`);
    const result = ContractCompare.parse(JSON.parse(stdout));
    t.strictSame(
      result.units.map((unit) => unit.held),
      [held],
      expect,
    );
  }
});

t.test('runs the base even if a variant cannot be built', async (t) => {
  const { child, place, log } = start(CORRUPT, [
    caseFile('{cells: [{variant: base, verdict: fail}]}', '{base: [], v2: a.patch}'),
    ...['--json', '--repeat', '2', '--jobs', '2'],
  ]);
  const { exitCode, stdout, stderr } = await child;
  t.equal(exitCode, 3, stderr);
  const result = ContractCompare.parse(JSON.parse(stdout));
  t.strictSame(
    result.units.map(({ variant, attempt, verdict, held }) => [variant, attempt, verdict, held]),
    [
      ['base', 1, 'fail', true],
      ['v2', 1, 'error', true],
      ['base', 2, 'fail', true],
      ['v2', 2, 'error', true],
    ],
  );
  t.match(result.units[1]?.reason, /sources/);
  t.match(result.units[1]?.replay, /--patch .*a\.patch/);
  t.equal(log().filter(({ argv }) => argv).length, 2, 'a guest for each attempt of base');
  const [run = ''] = readdirSync(join(place, 'state/daxrepro/runs'));
  const directory = join(place, 'state/daxrepro/runs', run);
  t.strictSame(
    JSON.parse(readFileSync(join(directory, 'result.json'), 'utf8')),
    JSON.parse(stdout),
  );
  t.strictSame(readdirSync(directory).sort(), [
    '001-ext4-generic-002',
    '002-ext4-generic-002-attempt-2',
    '003-ext4-generic-002-v2',
    '004-ext4-generic-002-v2-attempt-2',
    'inputs',
    'result.json',
    'results.xml',
  ]);
  t.match(readFileSync(join(directory, '003-ext4-generic-002-v2/failure.txt'), 'utf8'), /sources/);
});

t.test('prints text for the terminal and for mail', async (t) => {
  const text = await start(CORRUPT, [caseFile('pass')]).child;
  t.match(text.stdout, / {2}generic\/002 {2}fail !\n/);
  t.match(text.stdout, /expected: pass/);
  t.match(text.stdout, SIGNATURE);
  const mail = await start(CORRUPT, [caseFile('pass'), '--mail']).child;
  t.match(mail.stdout, /^Kernel 6\.1\.0-test/m);
  t.match(mail.stdout, /QEMU 9\.9\.9 \(fake\)/);
  t.match(mail.stdout, /e2fsprogs \d/);
  t.ok(mail.stdout.split('\n').every((line) => line.length < 75));
});

t.test('starts nothing in a dry run', async (t) => {
  const { child, log } = start([], [caseFile('pass'), '--dry-run']);
  const { exitCode, stdout } = await child;
  t.equal(exitCode, 0);
  t.equal(stdout, 'ext4  generic/002  memmap  base  expects pass');
  t.strictSame(log(), []);
});

t.test('rejects a wrong case before anything starts', async (t) => {
  const file = caseFile('passes');
  const { child, log } = start([], [file, '--json']);
  const { exitCode, stdout, stderr } = await child;
  t.equal(exitCode, 2);
  t.equal(stdout, '');
  t.match(stderr, `daxrepro: ${file}:4:9: "default" cannot be "passes".`);
  t.strictSame(log(), []);
  const together = await start([], [caseFile('pass'), '--together']).child;
  t.match(together, { exitCode: 2, stderr: /--together is for xfstests/ });
});

t.test('stops at Ctrl-C', async (t) => {
  const hangs = unitSteps({ during: [{ sleep: 60_000 }] });
  const { child, log } = start(hangs, [caseFile('pass'), '--json', '--repeat', '3', '--jobs', '1']);
  while (!log().some(({ request }) => request)) await sleep(50);
  child.kill('SIGINT');
  const { exitCode, stdout } = await child;
  t.equal(exitCode, 130);
  const result = ContractCompare.parse(JSON.parse(stdout));
  t.match(result.units, [{ verdict: 'error', reason: /interrupted/ }]);
  t.equal(result.units.length, 1);
  t.notOk(log().some(({ pid }) => lives(pid)));
});
