import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { readResult, readUnit } from '../../cli/results/read.js';
import type { RunResult, UnitResult } from '../../cli/results/run-result.js';
import { ContractRun } from '../util/contract.js';
import { RESULT, UNIT } from '../util/results.js';

async function keep(directory: string, result: unknown): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'result.json'), JSON.stringify(result));
}

const FAILING: UnitResult = {
  ...UNIT,
  verdict: 'fail',
  findings: [
    {
      tool: 'e2fsck',
      message: 'Directory inode 12, block #0, offset 0: directory corrupted',
      signature: 'e2fsck:x',
      severity: 'corruption',
      inode: 12,
    },
  ],
  unwritten: { known: false, reason: 'no witness' },
};

t.test('reads a run from its current place', async (t) => {
  const directory = join(t.testdir(), 'there');
  await keep(directory, RESULT);
  for (const name of [directory, join(directory, 'result.json')]) {
    const read = readResult(name);
    t.match(read, { ok: true, value: { kind: 'run', directory } });
    t.same(read.ok && read.value.result, RESULT);
  }
  await rename(directory, `${directory}-moved`);
  t.match(readResult(`${directory}-moved`), { value: { directory: `${directory}-moved` } });
});

t.test('keeps fields of later versions', async (t) => {
  const directory = t.testdir();
  const result = { ...RESULT, later: { of: 'us' }, units: [{ ...UNIT, more: [1] }] };
  await keep(directory, result);
  const read = readResult(directory);
  t.same(read.ok && read.value.result, result);
});

t.test('reads the newest run of the default directory if none is named', async (t) => {
  const state = withState(t);
  t.match(readResult(undefined), {
    ok: false,
    failure: { kind: 'usage', message: /There is no run/ },
  });
  await keep(join(state, '20260101-000000-ext2-a-1'), RESULT);
  await keep(join(state, '20260102-000000-ext2-a-1'), { ...RESULT, command: ['newest'] });
  await mkdir(join(state, '20260103-000000-ext2-a-1'));
  t.match(readResult(undefined), { value: { result: { command: ['newest'] } } });
  t.match(readResult('20260101-000000-ext2-a-1'), {
    value: { result: { command: RESULT.command } },
  });
});

t.test('skips sessions of shell, and runs that are not accepted', async (t) => {
  const state = withState(t);
  const shell = { ...RESULT, command: ['shell', 'ext2'], shell: { status: 0 } };
  await keep(join(state, '20260102-000000-ext2-shell-1'), shell);
  t.match(readResult(undefined), { ok: false, failure: { message: /There is no run in/ } });
  t.match(readResult('20260102-000000-ext2-shell-1'), { ok: true });
  const old = join(state, '20260101-000000-ext2-a-1');
  await keep(old, RESULT);
  t.match(readResult(undefined), { value: { directory: old } });
  await writeFile(join(old, 'result.json'), '{');
  t.match(
    readResult(undefined),
    { ok: false, failure: { message: /not valid JSON/ } },
    'an error, not skipped',
  );
  const none = { accept: () => false, what: 'that is blue' };
  t.match(readResult(undefined, none), { ok: false, failure: { message: /no run that is blue/ } });
});

t.test("reads a result with the contract's fields only", async (t) => {
  const directory = t.testdir();
  await keep(directory, ContractRun.parse(RESULT));
  t.match(readResult(directory), {
    ok: true,
    value: { result: { repeats: { length: 0 }, verdict: 'pass' } },
  });
});

t.test('rejects files that are not results, and names them', async (t) => {
  const directory = t.testdir({
    killed: {},
    cut: { 'result.json': JSON.stringify(RESULT).slice(0, 100) },
    nonsense: { 'result.json': '[]' },
    newer: { 'result.json': JSON.stringify({ ...RESULT, schemaVersion: 2 }) },
    wrong: { 'result.json': JSON.stringify({ ...RESULT, units: [{ ...UNIT, verdict: 'good' }] }) },
  });
  const expected = {
    killed: /has no result.json/,
    cut: /is not valid JSON/,
    nonsense: /not a result of daxrepro/,
    newer: /schema version 2/,
    wrong: /units\.0\.verdict/,
    absent: /There is no run/,
    'cut/result.json/deeper': /There is no run/,
  };
  for (const [name, message] of Object.entries(expected)) {
    t.match(readResult(join(directory, name)), { ok: false, failure: { message } }, name);
  }
});

t.test('selects a unit by its folder, by its number, or as the only one', async (t) => {
  const directory = t.testdir({ '002-ext2': { 'unit.json': JSON.stringify(FAILING) } });
  const result: RunResult = { ...RESULT, units: [UNIT, FAILING] };
  await keep(directory, result);
  const failing = {
    choose: ({ verdict }: UnitResult) => verdict === 'fail',
    what: 'failing units',
  };
  const all = { choose: () => true, what: 'units' };
  t.same(readUnit(directory, failing), { ok: true, value: { unit: FAILING, directory } });
  t.same(readUnit(`${directory}#1`, failing), { ok: true, value: { unit: UNIT, directory } });
  t.same(readUnit(join(directory, '002-ext2'), all), {
    ok: true,
    value: { unit: FAILING, directory },
  });
  t.match(readUnit(directory, all), {
    ok: false,
    failure: { message: /has 2 units/, remedy: /#1/ },
  });
  t.match(readUnit(`${directory}#7`, all), { ok: false, failure: { message: /no unit 7/ } });
  await keep(directory, RESULT);
  t.match(readUnit(directory, failing), { ok: false, failure: { message: /no failing units/ } });
});

/** Sets the default directory of runs for this test. */
function withState(t: Test): string {
  const before = process.env['XDG_STATE_HOME'];
  const home = t.testdir({ daxrepro: { runs: {} } });
  process.env['XDG_STATE_HOME'] = home;
  t.teardown(() => {
    if (before === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = before;
  });
  return join(home, 'daxrepro/runs');
}
