import { resolve } from 'node:path';
import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { PMEM_KINDS, type PmemKind } from '../guest/machine.js';
import { parseChoice } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { OverlayContext } from '../overlay/make.js';
import { overlaySuite } from '../overlay/overlay.js';
import type { Case, PerFileSystem } from '../results/case.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { defaultStore } from '../store/store.js';
import { readVariant } from '../variant/named.js';
import { seriesPrefixes } from '../variant/series.js';
import { BASE, type Variant } from '../variant/variant.js';
import { type CaseSettings, readCaseFile } from './case-file.js';
import { checkKernels, kernelsOfCase } from './case-kernels.js';
import { testsFor } from './tests.js';

/** The options of `compare` from the command line. */
export interface CompareOptions {
  /** true if given without a value. */
  base?: string | true;
  variant?: string[];
  cumulative?: string;
  fs?: string[];
  test?: string[];
  group?: string[];
  kernel?: string[];
  suite?: string;
  suitePatch?: string[];
  together?: boolean;
  cc?: string;
  kconfig?: string[];
  pmem?: string[];
  mountOpts?: string;
  mkfsOpts?: string;
  size?: string;
  timeout?: string;
  with?: string;
  for?: string;
  cpus?: string;
  memory?: string;
  append?: string;
  sysctl?: string[];
  debug?: string[];
  partition?: boolean;
  stack?: string;
  poison?: string[];
  logDevice?: boolean;
  rtDevice?: boolean;
  logwrites?: boolean;
  control?: boolean;
  powerCut?: boolean;
  cuts?: string;
  cutStates?: string;
  repeat: string;
  untilKnown?: boolean;
  seed?: string;
  jobs?: string;
  keepImages?: string;
  /** Runs failing units again, tracing write-back. */
  explain?: boolean;
  accel: string;
  qemu?: string;
  userland?: string;
  e2fsprogs?: string;
  xfsprogs?: string;
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  /** An engine that runs the units on other machines. */
  on?: string;
  out?: string;
  json?: boolean;
  mail?: boolean;
  dryRun?: boolean;
  /** Options with a value in the environment or daxrepro.yaml. */
  configured?: string[];
  /** Configured values for what a case file may leave open. */
  open?: CaseSettings;
  /** The variants of daxrepro.yaml. */
  variants?: Variant[];
}

/** The requested case: from a file, or from flags alone. */
export async function requestedCase(
  file: string | undefined,
  options: CompareOptions,
  context: OverlayContext = { store: defaultStore(), progress: () => {} },
): Promise<Outcome<Case>> {
  if (options.json && options.mail) {
    return failure('usage', '--json and --mail both write to stdout', 'Leave out one of them');
  }
  if (file === undefined) return caseFromFlags(options, context);
  const flag = CASE_FLAGS.find(([name]) => options[name] !== undefined)?.[1];
  if (flag !== undefined) {
    return failure(
      'usage',
      `${flag} does not go with a case file: the file says what to compare`,
      `Put it into ${file}, or leave out the file. --kernel, --suite, --suite-patch and --timeout may override the file`,
    );
  }
  const read = await readCaseFile(file, overrides(options), options.open, context);
  if (!read.ok || !options.powerCut || read.value.powerCut.includes(true)) return read;
  return success({ ...read.value, powerCut: [true] });
}

function overrides({ kernel, suite, suitePatch, timeout }: CompareOptions): CaseSettings {
  return { kernel, suite, suitePatch, timeout };
}

const CASE_FLAGS = [
  ['base', '--base'],
  ['variant', '--variant'],
  ['cumulative', '--cumulative'],
  ['fs', '--fs'],
  ['test', '--test'],
  ['group', '-g'],
  ['pmem', '--pmem'],
  ['mountOpts', '--mount-opts'],
  ['mkfsOpts', '--mkfs-opts'],
  ['size', '--size'],
  ['control', '--control'],
  ['with', '--with'],
  ['for', '--for'],
  ['cpus', '--cpus'],
  ['memory', '--memory'],
  ['append', '--append'],
  ['sysctl', '--sysctl'],
  ['debug', '--debug'],
  ['partition', '--partition'],
  ['stack', '--stack'],
  ['poison', '--poison'],
  ['logDevice', '--log-device'],
  ['rtDevice', '--rt-device'],
  ['logwrites', '--logwrites'],
] as const;

async function caseFromFlags(
  options: CompareOptions,
  context: OverlayContext,
): Promise<Outcome<Case>> {
  const { variant = [], cumulative, fs = [], test = [], group = [], pmem = [] } = options;
  const kernels = checkKernels(options.kernel ?? [RUN_DEFAULTS.kernel]);
  if (!kernels.ok) return kernels;
  if (variant.length === 0 && cumulative === undefined && kernels.value.length < 2) {
    return failure(
      'usage',
      'There is nothing to compare',
      'Name a case file, a variant (--variant v2=v2.patch), or several kernels (--kernel debian:6.1 --kernel debian:6.12)',
    );
  }
  if (fs.length === 0) {
    return failure(
      'usage',
      'No file system is named',
      `Give --fs, one of ${FILE_SYSTEMS.join(', ')}`,
    );
  }
  const fileSystems = unique(fs, (name) => parseChoice('--fs', name, FILE_SYSTEMS));
  if (!fileSystems.ok) return fileSystems;
  const kinds = unique(pmem.length > 0 ? pmem : [RUN_DEFAULTS.pmem], (name) =>
    parseChoice('--pmem', name, PMEM_KINDS),
  );
  if (!kinds.ok) return kinds;
  if (test.length + group.length === 0) {
    return failure(
      'usage',
      'No test is named',
      'Give --test generic/002, or a group with -g auto; `daxrepro list` shows them',
    );
  }
  const { suite: named = RUN_DEFAULTS.suite, suitePatch: patches } = options;
  const overlaid = await overlaySuite({ suite: named, patches, words: test }, context);
  if (!overlaid.ok) return overlaid;
  const { suite, words } = overlaid.value;
  const tests = testsFor(fileSystems.value, { ids: words, groups: group }, suite);
  if (!tests.ok) return tests;
  const variants = await readVariants(options);
  if (!variants.ok) return variants;
  return success({
    file: null,
    title: null,
    ...kernelsOfCase(kernels.value),
    suite,
    variants: variants.value,
    fileSystems: fileSystems.value,
    tests: tests.value,
    pmem: kinds.value,
    powerCut: [options.powerCut === true],
    options: optionsOfCase(options, fileSystems.value),
    expectations: [],
  });
}

/** The options of a case that hold for all its cells. */
function optionsOfCase(
  options: CompareOptions,
  fileSystems: readonly FileSystem[],
): Case['options'] {
  const forAll = (value: string | undefined): PerFileSystem | undefined =>
    value === undefined ? undefined : Object.fromEntries(fileSystems.map((one) => [one, value]));
  return {
    timeout: options.timeout,
    size: forAll(options.size),
    mkfsOpts: forAll(options.mkfsOpts),
    mountOpts: forAll(options.mountOpts),
    control: options.control,
    with: options.with,
    for: options.for,
    cpus: options.cpus,
    memory: options.memory,
    append: options.append,
    sysctl: options.sysctl,
    debug: options.debug,
    partition: options.partition,
    stack: options.stack,
    poison: options.poison,
    logDevice: options.logDevice,
    rtDevice: options.rtDevice,
    logwrites: options.logwrites,
  };
}

/** `--fs ext2,ext4` means the same as `--fs ext2 --fs ext4`. Duplicates count once. */
function unique<Value extends FileSystem | PmemKind>(
  given: readonly string[],
  parse: (text: string) => Outcome<Value>,
): Outcome<Value[]> {
  const values = new Set<Value>();
  for (const text of given.flatMap((list) => list.split(','))) {
    const value = parse(text);
    if (!value.ok) return value;
    values.add(value.value);
  }
  return success([...values]);
}

async function readVariants(options: CompareOptions): Promise<Outcome<Variant[]>> {
  const variants: Variant[] = [];
  const base = readBase(options.base, options.variants);
  if (!base.ok) return base;
  variants.push(base.value);
  for (const text of options.variant ?? []) {
    const variant = readVariant('--variant', text, options.variants);
    if (!variant.ok) return variant;
    variants.push(variant.value);
  }
  if (options.cumulative !== undefined) {
    // The series applies on top of the changes of the base.
    const own = await seriesPrefixes(...base.value.changes);
    if (!own.ok) return own;
    const prefixes = await seriesPrefixes(...base.value.changes, resolve(options.cumulative));
    if (!prefixes.ok) return prefixes;
    variants.push(...prefixes.value.slice(own.value.length));
  }
  const names = variants.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined
    ? success(variants)
    : failure('usage', `Two variants are called ${twice}`, 'Give each variant a different name');
}

function readBase(text: string | true | undefined, named: Variant[] = []): Outcome<Variant> {
  if (text === undefined || text === true) return success(BASE);
  const isNamed = named.some(({ name }) => name === text);
  if (!text.includes('=') && !isNamed) return success({ name: text, changes: [] });
  return readVariant('--base', text, named);
}
