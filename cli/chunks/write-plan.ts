import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepInputs } from '../inputs/keep.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { writeJson } from '../results/run-directory.js';
import { knownDurations } from '../run/durations.js';
import { AROUND_THE_TEST } from '../run/run-unit.js';
import { describeTools } from '../run/tools.js';
import { sha256Of } from '../sha256.js';
import { storageFailure } from '../store/store.js';
import { packageRoot, version } from '../version.js';
import { copyProgram, InputCopier } from './copy-inputs.js';
import { canonical, programHash, unitIdentity } from './identity.js';
import type { PlannedRun } from './planned-run.js';
import type { Plan, PlannedFile, PlannedUnit } from './schema.js';
import { estimated, splitUnits } from './split.js';

/** Writes the directory of a planned run. */

export interface Split {
  /** Seconds of a chunk, if its units run one after the other. */
  target: number;
  /** The least number of chunks. */
  least?: number;
}

/** @param directory absolute; a new one, or an empty one */
export async function writePlan(
  run: PlannedRun,
  directory: string,
  split: Split,
): Promise<Outcome<Plan>> {
  const { job } = run;
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    return failure(
      'usage',
      `The directory ${directory} is not empty`,
      'Give --into a new one; `daxrepro plan --rerun DIR` plans the rest of an earlier plan',
    );
  }
  try {
    mkdirSync(directory, { recursive: true });
    const kept = await keepInputs(run.requests, {
      ...{ directory, store: job.store, kernels: run.kernels, userTests: job.userTests },
      packages: job.userland.packages,
      ...{ checkpoints: run.settings.checkpoints, together: run.settings.together },
      ...(run.case ? { caseFile: run.case.file } : {}),
    });
    if (!kept.ok) return kept;
    const copier = new InputCopier(directory);
    const numbers = await keepPrepared(run, copier);
    const userTests = await listUserTests(kept.value, copier);
    const plugin = job.powerCut ? 'tools/plugin.so' : undefined;
    if (job.powerCut && plugin) await copier.copy(job.powerCut.plugin, plugin);
    const common = { files: copier.files, prepared: copier.prepared, userTests };
    const entries = await entriesOf(run, numbers, common);
    await copyProgram(directory, fileURLToPath(new URL('package.json', packageRoot)));
    const written = writeUnits(directory, entries, split);
    const tools = await describeTools(run.fileSystems, job.userland);
    const plan: Plan = {
      ...{ schemaVersion: 1, kind: run.kind, id: planId(entries), command: [...job.argv] },
      tool: { name: 'daxrepro', version: version(), program: programHash() },
      ...{ started: job.started.toISOString(), settings: run.settings, tools },
      expected: plain<Plan['expected']>(run.expected),
      ...(run.case ? { case: plain<NonNullable<Plan['case']>>(run.case) } : {}),
      ...{ ...common, ...(plugin ? { plugin } : {}), units: entries.length, ...written },
      generation: 1,
    };
    writeJson(join(directory, 'plan.json'), plan);
    return success(plan);
  } catch (error) {
    return storageFailure(directory, error);
  }
}

/** As it will be read: a plain copy without undefined values. */
function plain<Plain>(value: unknown): Plain {
  return JSON.parse(JSON.stringify(value));
}

/** Copies the kernels, images and modules. @returns for each unit the index of what it uses */
async function keepPrepared(
  { units }: PlannedRun,
  copier: InputCopier,
): Promise<(number | undefined)[]> {
  const numbers: (number | undefined)[] = [];
  for (const { prepared } of units) {
    numbers.push(prepared.ok ? await copier.keep(prepared.value) : undefined);
  }
  return numbers;
}

/** The archives of test files are among the kept inputs. */
async function listUserTests(
  requests: readonly RunRequest[],
  copier: InputCopier,
): Promise<Plan['userTests']> {
  const archives = new Map<string, string>();
  for (const [word, { packed }] of requests.flatMap(({ userTests = new Map() }) => [
    ...userTests,
  ])) {
    if (packed !== undefined) archives.set(word, relative(copier.directory, packed));
  }
  for (const name of new Set(archives.values())) await copier.list(name);
  return [...archives].map(([word, file]) => ({ word, file }));
}

type Common = Pick<Plan, 'files' | 'prepared' | 'userTests'>;

async function entriesOf(
  run: PlannedRun,
  numbers: readonly (number | undefined)[],
  common: Common,
): Promise<PlannedUnit[]> {
  const ready = numbers.filter((one) => one !== undefined).length;
  const known = await durationsOf(run);
  const timed = estimated(
    run.units.map(({ unit }) => unit),
    known,
  );
  const hashes = inputHashes(run, common);
  // Units that cannot run are numbered after those that can, as on one machine.
  let [next, last] = [0, ready];
  return run.units.map(({ unit, prepared, replay, expected }, at) => {
    const number = numbers[at];
    const sent = hashes(number, unit.userTest ? unit.test : undefined);
    return {
      ...{ at, index: number === undefined ? last++ : next++, inputs: unitIdentity(unit, sent) },
      ...(number === undefined ? {} : { prepared: number }),
      ...(prepared.ok ? {} : { failure: prepared.failure }),
      ...{ seconds: timed[at]?.seconds ?? 0, replay: replay([]) },
      ...(run.settings.together ? { replayAfter: replay([AFTER]) } : {}),
      ...(expected === undefined ? {} : { expected }),
      unit,
    };
  });
}

/** Stands in a replay command for the tests that ran before in the same guest. */
export const AFTER = '@AFTER@';

async function durationsOf({ units, settings, job }: PlannedRun) {
  const known = new Map<string, ReadonlyMap<string, number>>();
  const of = ({ suite, fs }: (typeof units)[number]['unit']) => `${suite.name} ${fs}`;
  for (const { unit, prepared } of units) {
    if (known.has(of(unit)) || !prepared.ok) continue;
    const like = { suite: unit.suite.name, fs: unit.fs, accel: prepared.value.accelerator };
    const { together } = settings;
    known.set(of(unit), await knownDurations(job.store, { ...like, together }));
  }
  return (unit: (typeof units)[number]['unit']) => known.get(of(unit))?.get(unit.test);
}

/** The hash of all that a unit is run with, besides what it says itself. */
function inputHashes({ settings, job }: PlannedRun, { files, prepared, userTests }: Common) {
  const { imageBytes: _, ...decisive } = settings;
  const byName = new Map(files.map(({ name, sha256 }) => [name, sha256]));
  const plugin = job.powerCut ? byName.get('tools/plugin.so') : undefined;
  const tests = new Map(userTests.map(({ word, file }) => [word, byName.get(file)]));
  const ofPrepared = prepared.map(({ kernel, image, initramfs, module }) => ({
    ...{ kernel, image: byName.get(image), initramfs: byName.get(initramfs) },
    module: module?.sha256,
  }));
  const cache = new Map<string, string>();
  return (number: number | undefined, test: string | undefined): string => {
    const key = `${number} ${test ?? ''}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const own = number === undefined ? undefined : ofPrepared[number];
    const archive = test === undefined ? undefined : tests.get(test);
    const hash = sha256Of(canonical({ decisive, plugin, own, archive, program: programHash() }));
    cache.set(key, hash);
    return hash;
  };
}

function planId(entries: readonly PlannedUnit[]): string {
  return sha256Of(entries.map(({ inputs }) => inputs).join('\n'));
}

/** Writes the units, by chunks. */
function writeUnits(
  directory: string,
  entries: readonly PlannedUnit[],
  split: Split,
): Pick<Plan, 'all' | 'chunks' | 'unprepared'> {
  const chunks = writeChunks(
    directory,
    entries.filter(({ prepared }) => prepared !== undefined),
    { ...split, generation: 1 },
  );
  const rest = entries.filter(({ prepared }) => prepared === undefined);
  const unprepared = rest.length > 0 && writeEntries(directory, 'chunks/unprepared.json', rest);
  const all = chunks.map(({ name, sha256, bytes }) => ({ name, sha256, bytes }));
  return {
    chunks,
    all: unprepared ? [...all, unprepared] : all,
    ...(unprepared ? { unprepared } : {}),
  };
}

export function writeChunks(
  directory: string,
  entries: readonly PlannedUnit[],
  { generation, ...split }: Split & { generation: number },
): Plan['chunks'] {
  return splitUnits(entries, split).map((units, number) => {
    const name = `chunks/${generation}-${String(number + 1).padStart(4, '0')}.json`;
    const seconds = units.reduce((sum, one) => sum + one.seconds, 0);
    const file = writeEntries(directory, name, units);
    return { ...file, units: units.length, seconds: rounded(seconds), limit: limitOf(units) };
  });
}

/** Seconds until a guest is ready, on a busy machine. */
const BOOT = 120;

/**
 * Seconds that a chunk may take. Units that hang take until their own limits; but a chunk whose
 * machine hangs has to end in a time that somebody would wait for.
 */
function limitOf(units: readonly PlannedUnit[]): number {
  const most = units.reduce((sum, { unit }) => sum + unit.timeout + AROUND_THE_TEST + BOOT, 0);
  const usual = units.reduce((sum, { seconds }) => sum + seconds, 0);
  return Math.ceil(Math.min(most, 10 * usual + 1200));
}

function writeEntries(directory: string, name: string, units: readonly PlannedUnit[]): PlannedFile {
  mkdirSync(join(directory, 'chunks'), { recursive: true });
  const text = `${JSON.stringify({ schemaVersion: 1, units })}\n`;
  writeFileSync(join(directory, name), text);
  return { name, sha256: sha256Of(text), bytes: Buffer.byteLength(text) };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
