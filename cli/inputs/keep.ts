import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GuestPackage,
  PACKAGES,
  type PackageSource,
  type PackageSources,
} from '../guest/packages.js';
import type { Kernel } from '../kernel/kernel.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { writeJson } from '../results/run-directory.js';
import { type Store, storageFailure } from '../store/store.js';
import { originOf } from '../suite/xfstests/tree.js';
import type { PackedUserTest, UserTest } from '../user-test/user-test.js';
import { version } from '../version.js';
import { FileKeeper } from './file-keeper.js';
import { describeKernel } from './kernel.js';
import type { Inputs, RecordedRequest } from './schema.js';

/** Keeps copies of a run's inputs in its directory, for a replay. */

export interface InputContext {
  /** The run's directory. */
  directory: string;
  store: Store;
  kernels: readonly Kernel[];
  /** The path of the case file. */
  caseFile?: string | null | undefined;
  checkpoints: boolean;
  together: boolean;
  /** The directory of the tree to bisect. */
  tree?: string | undefined;
  /** The user's test files as they are sent, by their words. */
  userTests?: ReadonlyMap<string, PackedUserTest> | undefined;
  /** Packages that are not the userland's, as the guests get them. */
  packages?: readonly GuestPackage[] | undefined;
  /** A directory of temporary files, whose paths are not recorded. */
  scratch?: string | undefined;
}

/** @returns the requests with the copies' paths, so that the run uses the copies */
export async function keepInputs(
  requests: readonly RunRequest[],
  context: InputContext,
): Promise<Outcome<RunRequest[]>> {
  const top = join(context.directory, 'inputs');
  const keeper = new FileKeeper(top, context.scratch);
  try {
    await mkdir(join(top, 'changes'), { recursive: true });
    const recorded: RecordedRequest[] = [];
    for (const request of requests) {
      const one = await record(request, keeper);
      const userTests = await keepUserTests(request, context, keeper);
      const packages = await keepPackages(request, context, keeper);
      recorded.push({
        ...one,
        ...(packages.length > 0 ? { packages } : {}),
        ...(userTests.length > 0 ? { userTests } : {}),
      });
    }
    if (context.caseFile) await keeper.keep(context.caseFile, 'case.yaml');
    const [first] = requests as [RunRequest];
    const { suite } = first;
    const suiteChanges = await keepSuiteChanges(suite, keeper);
    const kernels = [];
    for (const kernel of context.kernels)
      kernels.push(await describeKernel(kernel, context, keeper));
    const inputs: Inputs = {
      schemaVersion: 1,
      tool: { name: 'daxrepro', version: version() },
      files: keeper.files,
      requests: recorded,
      suite: { name: suite.name, version: suite.version },
      ...(suite.name === 'xfstests' ? { suiteDirectory: originOf(suite.tree) } : {}),
      ...(suiteChanges.length > 0 ? { suiteChanges } : {}),
      ...(context.tree === undefined ? {} : { treeDirectory: context.tree }),
      kernels,
      checkpoints: context.checkpoints,
      together: context.together,
    };
    writeJson(join(top, 'manifest.json'), inputs);
    return success(
      requests.map((request, index) => withCopies(request, recorded[index], suiteChanges, top)),
    );
  } catch (error) {
    return storageFailure(top, error);
  }
}

/** The patches and tests that were added to an xfstests tree. */
async function keepSuiteChanges(
  suite: RunRequest['suite'],
  keeper: FileKeeper,
): Promise<NonNullable<Inputs['suiteChanges']>> {
  const { changes = [] } = (suite.name === 'xfstests' && suite.tree.overlay) || {};
  const suiteChanges: NonNullable<Inputs['suiteChanges']> = [];
  for (const change of changes) {
    const { type } = change;
    const file = await keeper.keepIn('suite', change.kept, change.file);
    suiteChanges.push(type === 'patch' ? { type, file } : { type, file, path: change.path });
  }
  return suiteChanges;
}

function withCopies(
  request: RunRequest,
  recorded: RecordedRequest | undefined,
  suiteChanges: NonNullable<Inputs['suiteChanges']>,
  top: string,
): RunRequest {
  const changes = (recorded?.variant.changes ?? []).map((name) => join(top, name));
  return {
    ...request,
    suite: suiteWithCopies(request.suite, suiteChanges, top),
    variant: { ...request.variant, changes },
    ...(request.userTests ? { userTests: keptUserTests(recorded?.userTests ?? [], top) } : {}),
  };
}

function suiteWithCopies(
  suite: RunRequest['suite'],
  kept: NonNullable<Inputs['suiteChanges']>,
  top: string,
): RunRequest['suite'] {
  if (suite.name !== 'xfstests' || !suite.tree.overlay) return suite;
  const changes = suite.tree.overlay.changes.map((change, index) => ({
    ...change,
    file: join(top, kept[index]?.file ?? change.file),
  }));
  return { ...suite, tree: { ...suite.tree, overlay: { ...suite.tree.overlay, changes } } };
}

/** The file, for people, and what the guest gets of it: nothing is compiled again. */
async function keepUserTests(
  { userTests }: RunRequest,
  { userTests: packed }: InputContext,
  keeper: FileKeeper,
): Promise<NonNullable<RecordedRequest['userTests']>> {
  const kept = [];
  for (const [word, { kind, file, settings }] of userTests ?? []) {
    const archive = packed?.get(word)?.file;
    if (archive === undefined) throw new Error(`the test file ${word} was not packed`);
    const { cflags: _, fileSystems: __, ...recorded } = settings;
    kept.push({
      ...{ word, kind, settings: recorded },
      source: await keeper.keepIn('tests', file),
      archive: await keeper.keepIn('tests', archive),
    });
  }
  return kept;
}

/** A package of Debian is fetched again by its version; programs of a tree are kept. */
async function keepPackages(
  { packages = {} }: RunRequest,
  { packages: packed = [] }: InputContext,
  keeper: FileKeeper,
): Promise<NonNullable<RecordedRequest['packages']>> {
  const kept = [];
  for (const name of PACKAGES.filter((one) => packages[one] !== undefined)) {
    const own = packed.find((one) => one.name === name);
    if (!own) throw new Error(`the package ${name} was not packed`);
    const { from, version, archive } = own;
    const place = ['packages', archive.file, undefined, `${name}.cpio`] as const;
    kept.push({
      ...{ name, from, ...(version === undefined ? {} : { version }) },
      ...(own.keep ? { archive: await keeper.keepIn(...place) } : {}),
    });
  }
  return kept;
}

/** @param top the directory of the copies */
export function keptPackages(
  recorded: NonNullable<RecordedRequest['packages']>,
  top: string,
): PackageSources {
  const sources = recorded.map(({ name, from, version, archive }): [string, PackageSource] => {
    if (archive !== undefined) {
      return [name, { type: 'kept', from, version, file: join(top, archive) }];
    }
    const [, suite = from, pinned] = /^debian:([^=]*)=(.*)$/s.exec(from) ?? [];
    return [
      name,
      {
        type: 'suite',
        suite,
        ...(pinned === undefined ? {} : { version: pinned, orNewest: true }),
      },
    ];
  });
  return Object.fromEntries(sources);
}

/** @param top the directory of the copies */
export function keptUserTests(
  recorded: NonNullable<RecordedRequest['userTests']>,
  top: string,
): Map<string, UserTest> {
  return new Map(
    recorded.map(({ word, kind, settings, source, archive }) => [
      word,
      {
        ...{ id: word, kind, file: join(top, source), packed: join(top, archive) },
        settings: definedOnly(settings),
      },
    ]),
  );
}

function definedOnly<Value extends object>(value: Value) {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Value]: Exclude<Value[Key], undefined> };
}

async function record(request: RunRequest, keeper: FileKeeper): Promise<RecordedRequest> {
  const { variant, build = {} } = request;
  const changes: string[] = [];
  for (const file of variant.changes) changes.push(await keeper.keepIn('changes', file));
  const kconfig: string[] = [];
  for (const file of build.kconfig ?? []) kconfig.push(await keeper.keepIn('kconfig', file));
  const { steps } = variant;
  return {
    fs: request.fs,
    tests: [...request.tests],
    kernel: request.kernel,
    ...(request.askedKernel === undefined ? {} : { askedKernel: request.askedKernel }),
    variant: { name: variant.name, changes, ...(steps === undefined ? {} : { steps }) },
    ...(build.cc === undefined ? {} : { cc: build.cc }),
    ...(request.qemu === undefined ? {} : { qemu: request.qemu }),
    ...(request.userland === undefined ? {} : { userland: request.userland }),
    kconfig,
    pmem: request.pmem,
    ...(request.partition ? { partition: true } : {}),
    ...(request.stack === undefined ? {} : { stack: request.stack }),
    ...(request.size === undefined ? {} : { size: request.size }),
    ...(request.mkfsOptions === undefined ? {} : { mkfsOptions: request.mkfsOptions }),
    ...(request.mountOptions === undefined ? {} : { mountOptions: request.mountOptions }),
    timeout: request.timeout,
    ...(request.memory === undefined ? {} : { memory: request.memory }),
    ...(request.append === undefined ? {} : { append: request.append }),
    ...(request.sysctl === undefined ? {} : { sysctl: [...request.sysctl] }),
    ...(request.poison === undefined ? {} : { poison: request.poison.map((one) => ({ ...one })) }),
    ...(request.devices === undefined ? {} : { devices: [...request.devices] }),
    ...(request.runFor === undefined ? {} : { runFor: request.runFor }),
    seed: request.seed,
    cpus: request.cpus,
    control: request.control,
    ...(request.powerCut ? { powerCut: { ...request.powerCut } } : {}),
  };
}
