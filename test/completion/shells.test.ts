import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { SCRIPTS, type Shell } from '../../cli/completion/scripts.js';
import { compileInto } from '../util/compiled.js';
import { Terminal } from '../util/terminal.js';

/** Completions from the keyboard, in real bash, zsh and fish. */

const top = t.testdir({ bin: {}, place: { patches: { 'a fix.patch': '' } } });
const { main } = compileInto(top);
const program = join(top, 'bin/daxrepro');
// A program that prints how it was called, and does nothing else.
writeFileSync(
  program,
  `#!/bin/sh
case $1 in complete) exec ${process.execPath} ${main} "$@" ;; esac
printf '\\nCALLED'; printf ' [%s]' "$@"; echo
`,
);
chmodSync(program, 0o755);
mkdirSync(join(top, 'place/linux'));
const script = (shell: Shell) => {
  const file = join(top, `script.${shell}`);
  writeFileSync(file, SCRIPTS[shell]);
  return file;
};

const options = {
  cwd: join(top, 'place'),
  env: {
    PATH: `${join(top, 'bin')}:${process.env['PATH']}`,
    HOME: top,
    NODE_OPTIONS: '',
    TERM: 'dumb',
    XDG_CACHE_HOME: join(top, 'cache'),
  },
  reject: false,
} as const;

const TYPED: [typed: string, called: string][] = [
  ['daxrepro run ext2 --pmem nv\t generic/0\t', '[run] [ext2] [--pmem] [nvdimm] [generic/002]'],
  ['daxrepro kernel path debian:5\t', '[kernel] [path] [debian:5.10]'],
  ['daxrepro run --pmem=virt\t', '[run] [--pmem=virtio-pmem]'],
  ['daxrepro run --kernel src:lin\t', '[run] [--kernel] [src:linux/]'],
  ['daxrepro run --patch patches/\t', '[run] [--patch] [patches/a fix.patch]'],
  ['daxrepro run ext2 --out pat\t', '[run] [ext2] [--out] [patches/]'],
  ['daxrepro compl\tz\t', '[completion] [zsh]'],
];

/** Sets the prompt in a way that the echo of this line does not look like the prompt. */
const PROMPT = "PS1='READ''Y> '";

/** Types into an interactive shell on a terminal, each line when the shell waits for it. */
async function type(t: Test, shell: string, args: string[], first: string): Promise<string[]> {
  const { cwd, env } = options;
  const terminal = new Terminal([shell, ...args], { directory: top, cwd, env });
  t.teardown(() => terminal.close());
  terminal.type(`${first}; ${PROMPT}\n`);
  const called: string[] = [];
  for (const [typed] of TYPED) {
    await terminal.see('READY> ');
    terminal.type(`${typed}\n`);
    const [, one = ''] = await terminal.see(/^CALLED (.*?)\r?\n/m);
    called.push(one);
  }
  await terminal.see('READY> ');
  terminal.type('daxrepro run $(touch ran) ex\t\x15exit\n');
  await terminal.exit;
  return called;
}

async function isThere(t: Test, shell: string): Promise<boolean> {
  const { failed } = await execa(shell, ['-c', 'exit'], { reject: false });
  if (failed) t.pass(shell, { skip: `${shell} is not installed` });
  return !failed;
}

t.test('bash', async (t) => {
  const called = await type(t, 'bash', ['--norc', '--noprofile', '-i'], `. ${script('bash')}`);
  t.strictSame(
    called,
    TYPED.map(([, one]) => one),
  );
});

t.test('zsh', async (t) => {
  if (!(await isThere(t, 'zsh'))) return;
  const first = `autoload -Uz compinit; compinit -u -D; . ${script('zsh')}`;
  // zsh drops the slash at the end of a path.
  t.strictSame(
    await type(t, 'zsh', ['-f', '-i'], first),
    TYPED.map(([, one]) => one.replace('patches/]', 'patches]')),
  );
});

t.test('fish', async (t) => {
  if (!(await isThere(t, 'fish'))) return;
  const offered = async (line: string) => {
    const command = `source ${script('fish')}; complete -C '${line}'`;
    const { stdout = '' } = await execa('fish', ['-N', '-c', command], options);
    return stdout.split('\n').map((one) => one.split('\t')[0]);
  };
  t.strictSame(await offered('daxrepro run ext2 --pmem nv'), ['nvdimm']);
  t.strictSame(await offered('daxrepro kernel path debian:5'), ['debian:5.10']);
  t.strictSame(await offered('daxrepro run --pmem=virt'), ['--pmem=virtio-pmem']);
  t.strictSame(await offered('daxrepro run --kernel src:lin'), ['src:linux/']);
  t.strictSame(await offered('daxrepro run --patch patches/'), ['patches/a fix.patch']);
  t.strictSame(await offered('daxrepro run --out pat'), ['patches/']);
  t.strictSame(await offered('daxrepro compl'), ['completion']);
});
