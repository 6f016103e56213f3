import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { readInForce } from '../configuration/apply.js';
import { FILE_SYSTEMS } from '../file-systems.js';
import { ACCELERATOR_CHOICES } from '../guest/accelerator.js';
import { STACKS } from '../guest/layers.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { debugOptions } from '../kernel/debug-options.js';
import { readOperators } from '../mutate/operators.js';
import { FORMATS } from '../report/formats.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { defaultStore } from '../store/store.js';
import { builtinTests } from '../suite/builtin.js';
import { findTree, treeTests } from '../suite/xfstests/tree.js';
import { SHELLS } from './scripts.js';
import type { Paths, Suggestion, Suggestions } from './suggestions.js';
import type { Typed } from './words.js';

/**
 * The values of arguments and options by placeholder: `<spec>` is a kernel in every definition. A test
 * fails for a placeholder that is not listed here.
 */

type Source = (typed: Typed, program: Command) => Promise<Suggestions> | Suggestions;

const FILES: Source = () => ({ values: [], paths: 'files' });
const DIRECTORIES: Source = () => ({ values: [], paths: 'directories' });
/** A number, a time, or a name that the user makes up. */
const NOTHING: Source = () => ({ values: [], paths: 'none' });

const SOURCES: Readonly<Record<string, Source>> = {
  fs: () => words(FILE_SYSTEMS),
  test: async (typed) =>
    words(
      (await testsOf(typed)).map(({ id }) => id),
      'files',
    ),
  group: async (typed) => words([...new Set((await testsOf(typed)).flatMap((one) => one.groups))]),
  spec: kernels,
  kind: () => words(PMEM_KINDS),
  accel: () => words(ACCELERATOR_CHOICES),
  suite: () => words(['builtin', 'xfstests'], 'directories'),
  variant: async () => {
    const inForce = await readInForce();
    return words(inForce.ok ? inForce.value.variants.map(({ name }) => name) : []);
  },
  run: runs,
  before: runs,
  after: runs,
  command: (_, program) =>
    words(
      program
        .createHelp()
        .visibleCommands(program)
        .map((one) => one.name()),
    ),
  names: () => words(debugOptions()),
  shell: () => words(SHELLS),
  target: () => words(STACKS),
  format: () => words(FORMATS),
  operators: () => words(readOperators().map(({ name }) => name)),
  log: FILES,
  file: FILES,
  'case.yaml': FILES,
  series: FILES,
  mbox: FILES,
  dir: DIRECTORIES,
  tree: DIRECTORIES,
  engine: () => words(['slurm', 'ssh:']),
  program: FILES,
  qemu: FILES,
  userland: DIRECTORIES,
  package: DIRECTORIES,
  byte: NOTHING,
  compiler: NOTHING,
  confidence: NOTHING,
  days: NOTHING,
  'key=value': NOTHING,
  n: NOTHING,
  msgid: NOTHING,
  name: NOTHING,
  options: NOTHING,
  p: NOTHING,
  parameters: NOTHING,
  patterns: NOTHING,
  point: NOTHING,
  range: NOTHING,
  rev: NOTHING,
  signature: NOTHING,
  size: NOTHING,
  time: NOTHING,
  title: NOTHING,
  url: NOTHING,
  where: NOTHING,
};

/** Runs to suggest; there may be thousands. */
const NEWEST = 50;

/** The placeholders that definitions may use. */
export const PLACEHOLDERS: readonly string[] = Object.keys(SOURCES);

export function valuesFor(
  placeholder: string,
  typed: Typed,
  program: Command,
): Promise<Suggestions> | Suggestions {
  const source = Object.hasOwn(SOURCES, placeholder) ? SOURCES[placeholder] : undefined;
  return (source ?? NOTHING)(typed, program);
}

function words(values: readonly string[], paths: Paths = 'none'): Suggestions {
  return { values: values.map((value) => [value]), paths };
}

/** The tests of the suite on the command line or in the project's configuration. */
async function testsOf(typed: Typed): Promise<readonly { id: string; groups: string[] }[]> {
  const { operands, options } = typed;
  const suite = options.get('--suite')?.at(-1) ?? (await configuredSuite());
  if (suite === 'builtin') return builtinTests();
  const tree = findTree(suite);
  if (!tree.ok) return [];
  const tests = treeTests(
    tree.value,
    FILE_SYSTEMS.find((fs) => fs === operands[0]),
  );
  return tests.ok ? tests.value : [];
}

async function configuredSuite(): Promise<string> {
  const inForce = await readInForce();
  const value = inForce.ok ? inForce.value.settings.suite?.value : undefined;
  return typeof value === 'string' ? value : 'builtin';
}

async function runs(): Promise<Suggestions> {
  const { runsIn } = await import('../results/read.js');
  return words(runsIn(defaultRunsDirectory()).slice(-NEWEST).reverse(), 'directories');
}

async function kernels({ expected: { text } }: Typed): Promise<Suggestions> {
  const [, scheme = '', path = ''] = /^(src|image):(.*)$/s.exec(text) ?? [];
  if (scheme !== '') return { values: pathsBelow(scheme, path), paths: 'none' };
  const { readCatalogue } = await import('../kernel/catalogue.js');
  const { peekDebian } = await import('../kernel/debian.js');
  const store = defaultStore();
  const packaged = await Promise.all(
    readCatalogue().map(async (kernel): Promise<Suggestion[]> => {
      const cached = await peekDebian(kernel, store);
      return [
        [`debian:${kernel.version}`, cached ? `${cached.release}, in the cache` : 'a package'],
        [`debsrc:${kernel.version}`, "a full build of Debian's source"],
      ];
    }),
  );
  const own: Suggestion[] = [
    ['debian:sid', "a suite's newest kernel"],
    ['debian:experimental', "a suite's newest kernel"],
    ['src:', 'a kernel tree'],
    ['image:', 'a bzImage'],
    ['host', 'the kernel of this machine'],
  ];
  return { values: [...packaged.flat(), ...own], paths: 'none' };
}

/** Shells cannot complete a path that begins within a word: `src:linux/`. */
function pathsBelow(scheme: string, path: string): Suggestion[] {
  const parent = path.endsWith('/') ? path : `${dirname(`${path}x`)}/`;
  const shown = parent === './' && !path.startsWith('./') ? '' : parent;
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || scheme === 'image')
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => [`${scheme}:${shown}${entry.name}${entry.isDirectory() ? '/' : ''}`]);
  } catch {
    return [];
  }
}
