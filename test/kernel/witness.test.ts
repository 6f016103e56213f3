import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Kernel } from '../../cli/kernel/kernel.js';
import { moduleTree } from '../../cli/kernel/module-tree.js';
import { WITNESS } from '../../cli/kernel/witness.js';
import { makeContext, prependPath } from './context.js';
import { makeModule, makeProgram, writeTree } from './fixtures.js';

// The witness module comes with a guest's other modules, or is reported as missing.

const RELEASE = '6.1.0-1-test';
const CONFIGURATION = 'CONFIG_MODULES=y\nCONFIG_KPROBES=y\nCONFIG_PROC_FS=y\n';
const BUILDS = `modules:\n\t@cp prebuilt.ko $(M)/${WITNESS}.ko\n`;

function makeKernel(t: Test, { config = CONFIGURATION, makefile = BUILDS, compiler = 'gcc-12' }) {
  const root = t.testdir();
  const vermagic = `${RELEASE} SMP mod_unload `;
  makeModule(join(root, 'headers/prebuilt.ko'), { name: WITNESS, vermagic });
  writeTree(root, {
    'headers/Makefile': makefile,
    'headers/.config': config,
    'headers/Module.symvers': '',
  });
  makeProgram(join(root, 'bin'), 'gcc-12', 'exit 0');
  prependPath(t, join(root, 'bin'));
  const kernel: Kernel = {
    ...{ spec: 'debian:6.1', release: RELEASE, id: 'k' },
    ...{ image: join(root, 'bzImage'), bootImage: join(root, 'bzImage') },
    build: { headers: join(root, 'headers'), source: join(root, 'source'), compiler },
  };
  return { kernel, root, ...makeContext(root) };
}

async function witnessOf(kernel: Kernel, context: ReturnType<typeof makeContext>) {
  const tree = await moduleTree(kernel, [], context.context);
  if (!tree.ok) throw new Error(tree.failure.message);
  const directory = join(tree.value.directory, 'lib/modules', RELEASE);
  return {
    state: tree.value.witness,
    there: existsSync(join(directory, 'extra', `${WITNESS}.ko`)),
    index: readFileSync(join(directory, 'modules.dep'), 'utf8'),
  };
}

t.test('adds it to the modules', async (t) => {
  const made = makeKernel(t, {});
  const { state, there, index } = await witnessOf(made.kernel, made);
  t.strictSame([state, there], [{}, true]);
  t.match(index, `extra/${WITNESS}.ko:`);
});

t.test('gives the other modules to a kernel that cannot have it', async (t) => {
  const cases: [RegExp, Parameters<typeof makeKernel>[1]][] = [
    [/has no CONFIG_KPROBES$/, { config: 'CONFIG_MODULES=y\nCONFIG_PROC_FS=y\n' }],
    [/does not build for 6\.1\.0-1-test/, { makefile: 'modules:\n\tfalse\n' }],
    [/no C compiler$/, { compiler: '/nowhere/gcc' }],
  ];
  for (const [reason, given] of cases) {
    await t.test(String(reason), async (t) => {
      const made = makeKernel(t, given);
      const { state, there } = await witnessOf(made.kernel, made);
      t.match(state.missing, reason);
      t.notOk(there);
    });
  }
  await t.test('no headers', async (t) => {
    const made = makeKernel(t, {});
    const { build: _, ...kernel } = made.kernel;
    t.match((await witnessOf(kernel, made)).state.missing, /no headers of debian:6\.1/);
  });
});

t.test('uses a compiler that was installed later', async (t) => {
  const made = makeKernel(t, {});
  const build = made.kernel.build as NonNullable<Kernel['build']>;
  const compiler = join(made.root, 'later/gcc');
  const kernel = { ...made.kernel, build: { ...build, compiler } };
  t.match((await witnessOf(kernel, made)).state, { wantsCompiler: true });
  makeProgram(join(made.root, 'later'), 'gcc', 'exit 0');
  t.strictSame((await witnessOf(kernel, made)).state, {});
});
