import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { OpenJob } from '../../cli/job/job.js';
import { objectCode } from '../../cli/mutate/object-code.js';
import { MutantWork, type PlannedTest, unchangedModule } from '../../cli/mutate/work.js';
import type { RunRequest } from '../../cli/plan/unit.js';
import type { Mutant } from '../../cli/results/mutation-result.js';
import { prepareModule } from '../../cli/run/prepare.js';
import { prependPath } from '../kernel/context.js';
import { makeModule, makeProgram, writeTree } from '../kernel/fixtures.js';
import { PREPARED, type Step } from '../util/fake-qemu.js';
import { unitSteps, XFSTESTS_UNIT } from '../util/units.js';
import { failureOf, makeKernel, patchOf, RELEASE } from '../variant/rig.js';

/** Mutants with a fake compiler and a fake guest. */

/** The module's text depends on what is compiled; the compiler drops blank lines. */
const HEADERS = `\
sources := $(wildcard $(M)/*.c)
modules: $(M)/ext2.ko
$(M)/ext2.ko: $(sources:.c=.o)
	@cat $^ | cksum | sed 's/\\([0-9]*\\) .*/.text; .long \\1/' | cat modinfo.s - | as -o $@.o
	@ld -r --build-id=sha1 -o $@ $@.o
$(M)/%.o: $(M)/%.c
	@$(CC) $< $@
.PHONY: modules
`;

const COMPILER = `grep -q broken "$1" && { echo "$1:10:3: error: 'broken' undeclared"; exit 1; }
grep -v '^$' "$1" >"$2" || :`;

const UNCHANGED = 'line 10;';

/** A change that no compiler sees. */
const BLANK = 'blank';
const BLANK_LINE = `\
--- a/fs/ext2/inode.c
+++ b/fs/ext2/inode.c
@@ -9,2 +9,3 @@ here
 line 9;
+
 line 10;
`;

const REQUEST = {
  ...{ fs: 'ext2', tests: ['dax/a', 'dax/b'], suite: { name: 'builtin', version: '1' } },
  ...{ kernel: 'debian:6.1', variant: { name: 'base', changes: [] }, repeat: 1, timeout: 60 },
} as unknown as RunRequest;

const planned = (test: string): PlannedTest => ({
  unit: {
    ...XFSTESTS_UNIT,
    fs: 'ext2',
    test,
    suite: { name: 'builtin', version: '1' },
    mountOptions: 'dax',
  },
  request: REQUEST,
});

async function rig(t: Test) {
  const made = makeKernel(t);
  const { root, kernel, context } = made;
  writeTree(root, {
    'headers/Makefile': HEADERS,
    'headers/modinfo.s': `.section .modinfo,"a"\n.asciz "name=ext2"\n.asciz "depends="\n.asciz "vermagic=${RELEASE} SMP "\n`,
    'headers/.config': 'CONFIG_FS_DAX=y\n',
    'headers/Module.symvers': '',
  });
  makeProgram(join(root, 'bin'), 'gcc-12', COMPILER);
  prependPath(t, join(root, 'bin'));
  const abort = new AbortController();
  const job = { ...context, signal: abort.signal, argv: [] } as unknown as OpenJob;
  const module = await unchangedModule({ kernel }, 'ext2', job);
  if (!module.ok) throw new Error(JSON.stringify(module.failure));
  const prepared = { ...PREPARED, kernel, module: module.value };
  const tests = ['dax/a', 'dax/b'].map(planned);
  const directory = join(root, 'run');
  const work = new MutantWork({ tests, prepared, directory, checkpoints: false, job });
  const mutant = (text: string): Mutant => {
    const patch = 'mutants/001.patch';
    const change = patchOf('fs/ext2/inode.c', 10, text);
    writeTree(directory, { [patch]: text === BLANK ? BLANK_LINE : change });
    return {
      ...{ number: 1, operator: 'call-removed', file: 'fs/ext2/inode.c', line: 10, column: 1 },
      ...{ function: 'f', patch, diff: text },
    };
  };
  /** What guests do, by test, if the module of this change is loaded. */
  const guests = async (text: string, byTest: Record<string, Parameters<typeof unitSteps>[0]>) => {
    const change = mutant(text).patch;
    const variant = { name: 'v', changes: [join(directory, change)] };
    const changed = text === UNCHANGED ? module : await prepareModule(kernel, 'ext2', variant, job);
    const own = changed.ok ? changed.value : undefined;
    const moduleBuildId = own?.buildId;
    const loaded: Step = {
      event: { event: 'module', sha256: own?.sha256, name: 'ext2', origin: 'sent' },
    };
    const ready: Step = {
      event: {
        event: 'ready',
        release: RELEASE,
        testDevice: '/dev/pmem0',
        scratchDevice: '/dev/pmem1',
        deviceProblem: '',
        bootId: '00000000-0000-0000-0000-000000000000',
      },
    };
    const steps = (more: Parameters<typeof unitSteps>[0]) => {
      const proof = {
        type: 'ext2',
        options: 'rw,relatime,dax',
        servedByExt4: false,
        moduleBuildId,
      };
      const all = unitSteps({ ...more, proof: { ...proof, ...more?.proof } });
      return [loaded, ...all.slice(all.findIndex(({ request }) => request) + 1)];
    };
    const each = Object.entries(byTest).map(([test, more]) => [test, steps(more)]);
    const script = [{ beat: 100 }, ready, { request: true }, { byTest: Object.fromEntries(each) }];
    writeFileSync(join(root, 'script.json'), JSON.stringify(script));
    process.env['FAKE_QEMU_SCRIPT'] = join(root, 'script.json');
    process.env['FAKE_QEMU_LOG'] = join(root, 'log');
  };
  return { ...made, work, tests, mutant, guests, directory, abort };
}

t.test('a test that fails kills, and no further test runs', async (t) => {
  const { work, tests, mutant, guests, directory } = await rig(t);
  await guests('changed;', {
    'dax/a': { test: { status: 1, failures: 'a file lost its data' } },
    'dax/b': {},
  });
  const ended = await work.mutant(mutant('changed;'), tests);
  t.match(ended, {
    ok: true,
    value: {
      ...{ outcome: 'killed', test: 'dax/a', reason: 'a file lost its data', tests: 1 },
      folders: ['mutants/001/001-ext2-dax-a-mutant-001'],
      replay: new RegExp(`^daxrepro run ext2 dax/a --patch ${directory}/mutants/001\\.patch`),
    },
  });
  t.ok(existsSync(join(directory, 'mutants/001/001-ext2-dax-a-mutant-001/console.log')));
});

t.test('a mutant that all tests pass survives, and leaves no evidence', async (t) => {
  const { work, tests, mutant, guests, directory } = await rig(t);
  await guests('changed;', { 'dax/a': {}, 'dax/b': {} });
  const ended = await work.mutant(mutant('changed;'), tests);
  t.match(ended, { ok: true, value: { outcome: 'survived', tests: 2, folders: { length: 0 } } });
  t.strictSame(readdirSync(join(directory, 'mutants/001')), []);
});

t.test('a guest with another module, or without DAX, decides nothing', async (t) => {
  const { work, tests, mutant, guests } = await rig(t);
  await guests('changed;', { 'dax/a': { proof: { moduleBuildId: 'abcd' } }, 'dax/b': {} });
  t.match(await work.mutant(mutant('changed;'), tests), {
    value: { outcome: 'no-verdict', test: 'dax/a', reason: /^invalid in dax\/a: / },
  });
  await guests('changed;', { 'dax/a': {}, 'dax/b': { proof: { statxAttributes: '0x0' } } });
  t.match(await work.mutant(mutant('changed;'), tests), {
    value: { outcome: 'no-verdict', test: 'dax/b', tests: 2 },
  });
});

t.test('a panic kills one mutant, and the next one runs as usual', async (t) => {
  const { work, tests, mutant, guests } = await rig(t);
  const during: Step[] = [
    { console: '[    5.000000] Kernel panic - not syncing: Fatal exception\n', sleep: 100 },
    { kill: 'SIGKILL' },
  ];
  await guests('changed;', { 'dax/a': { during }, 'dax/b': {} });
  t.match(await work.mutant(mutant('changed;'), tests), {
    value: { outcome: 'killed', test: 'dax/a', reason: /panic/ },
  });
  await guests('other;', { 'dax/a': {}, 'dax/b': {} });
  t.match(await work.mutant(mutant('other;'), tests), { value: { outcome: 'survived' } });
});

t.test('what does not compile, or compiles to the same code, starts no guest', async (t) => {
  const { root, work, tests, mutant } = await rig(t);
  t.match(await work.mutant(mutant('broken;'), tests), {
    value: {
      ...{ outcome: 'not-compiled', tests: 0, test: null, withoutPowerCut: null },
      reason: "the compiler says: 'broken' undeclared",
    },
  });
  t.match(await work.mutant(mutant(BLANK), tests), {
    value: { outcome: 'identical', tests: 0 },
  });
  t.notOk(existsSync(join(root, 'log')));
});

t.test('the unchanged module runs the same way', async (t) => {
  const { work, tests, guests } = await rig(t);
  await guests(UNCHANGED, { 'dax/a': {}, 'dax/b': { test: { status: 77, notrun: 'no quota' } } });
  const [first, second] = tests as [PlannedTest, PlannedTest];
  t.match(await work.base(first), { value: { test: 'dax/a', powerCut: false, verdict: 'pass' } });
  t.match(await work.base(second), { value: { verdict: 'notrun', reason: 'no quota' } });
});

t.test('an interruption is no outcome', async (t) => {
  const { work, tests, mutant, guests, abort } = await rig(t);
  await guests('changed;', { 'dax/a': {}, 'dax/b': {} });
  abort.abort();
  t.match(failureOf(await work.mutant(mutant('changed;'), tests)), { kind: 'interrupted' });
});

t.test('object code is what a module does, not how it was built', async (t) => {
  const directory = t.testdir();
  const code = async (name: string, more: Record<string, string>, imports: string) => {
    const file = join(directory, name);
    makeModule(file, { name: 'ext2', ...more }, { imports });
    return objectCode(file);
  };
  const one = await code('1.ko', { srcversion: 'A' }, 'printk');
  t.match(one, /^[0-9a-f]{64}$/);
  t.equal(await code('2.ko', { srcversion: 'B' }, 'printk'), one, 'another version');
  makeModule(join(directory, '3.ko'), { name: 'ext2' });
  t.not(await objectCode(join(directory, '3.ko')), one, 'other code');
  writeFileSync(join(directory, '4.ko'), 'no object file');
  t.equal(await objectCode(join(directory, '4.ko')), undefined);
});
