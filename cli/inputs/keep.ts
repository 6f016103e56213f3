import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Kernel } from '../kernel/kernel.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { writeJson } from '../run/run-directory.js';
import { type Store, storageFailure } from '../store/store.js';
import { version } from '../version.js';
import { describeKernel } from './kernel.js';
import type { InputFile, Inputs, RecordedRequest } from './schema.js';

/** Keeps what went into a run in the run's directory, so that it can be run again as it was. */

export interface InputContext {
  /** The run's directory. */
  directory: string;
  store: Store;
  kernels: readonly Kernel[];
  /** A case file, as it was given. */
  caseFile?: string | null | undefined;
  checkpoints: boolean;
  together: boolean;
  /** The tree that is bisected: a directory. */
  tree?: string | undefined;
  /** Files below it are gone afterwards: where they were says nothing. */
  scratch?: string | undefined;
}

/** @returns the requests as they name the copies: what is run is what was kept */
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

/** Copies files below `inputs/`, each once however often it is named. */
export class FileKeeper {
  readonly files: InputFile[] = [];
  readonly #names = new Map<string, string>();

  /** @param scratch where files lie that are gone afterwards */
  constructor(
    readonly top: string,
    readonly scratch?: string,
  ) {}

  /** @returns its name below `inputs/` */
  async keepIn(folder: 'changes' | 'kconfig', file: string): Promise<string> {
    const known = this.#names.get(`${folder} ${file}`);
    if (known !== undefined) return known;
    const number = this.files.filter(({ name }) => name.startsWith(folder)).length + 1;
    const plain = basename(file).replaceAll(/[^A-Za-z0-9._-]+/g, '-');
    // The end says what it is: .cocci. A copy of a copy is not numbered twice.
    const short = plain.replace(/^\d{3}-(?=.)/, '').slice(-80);
    const name = `${folder}/${String(number).padStart(3, '0')}-${short}`;
    this.#names.set(`${folder} ${file}`, name);
    await this.keep(file, name);
    return name;
  }

  async keep(file: string, name: string): Promise<void> {
    const lasts = this.scratch === undefined || !file.startsWith(`${this.scratch}/`);
    await this.write(await readFile(file), name, lasts ? file : undefined);
  }

  async write(content: Buffer, name: string, from?: string): Promise<void> {
    const path = join(this.top, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    this.files.push({ name, sha256, bytes: content.length, ...(from ? { from } : {}) });
  }
}
