import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel } from '../kernel/kernel.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { writeJson } from '../results/run-directory.js';
import { type Store, storageFailure } from '../store/store.js';
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
    for (const request of requests) recorded.push(await record(request, keeper));
    if (context.caseFile) await keeper.keep(context.caseFile, 'case.yaml');
    const [first] = requests as [RunRequest];
    const { suite } = first;
    const kernels = [];
    for (const kernel of context.kernels)
      kernels.push(await describeKernel(kernel, context, keeper));
    const inputs: Inputs = {
      schemaVersion: 1,
      tool: { name: 'daxrepro', version: version() },
      files: keeper.files,
      requests: recorded,
      suite: { name: suite.name, version: suite.version },
      ...(suite.name === 'xfstests' ? { suiteDirectory: suite.tree.directory } : {}),
      ...(context.tree === undefined ? {} : { treeDirectory: context.tree }),
      kernels,
      checkpoints: context.checkpoints,
      together: context.together,
    };
    writeJson(join(top, 'manifest.json'), inputs);
    return success(requests.map((request, index) => withCopies(request, recorded[index], top)));
  } catch (error) {
    return storageFailure(top, error);
  }
}

function withCopies(
  request: RunRequest,
  recorded: RecordedRequest | undefined,
  top: string,
): RunRequest {
  const changes = (recorded?.variant.changes ?? []).map((name) => join(top, name));
  return { ...request, variant: { ...request.variant, changes } };
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
    variant: { name: variant.name, changes, ...(steps === undefined ? {} : { steps }) },
    ...(build.cc === undefined ? {} : { cc: build.cc }),
    kconfig,
    pmem: request.pmem,
    ...(request.size === undefined ? {} : { size: request.size }),
    ...(request.mkfsOptions === undefined ? {} : { mkfsOptions: request.mkfsOptions }),
    ...(request.mountOptions === undefined ? {} : { mountOptions: request.mountOptions }),
    timeout: request.timeout,
    seed: request.seed,
    cpus: request.cpus,
    control: request.control,
    ...(request.powerCut ? { powerCut: { ...request.powerCut } } : {}),
  };
}
