import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { roundedSupply } from '../cpu-supply.js';
import { explainUnit } from '../evidence/unit.js';
import { ADDITIONAL_DEVICES } from '../guest/additional-devices.js';
import type { Kernel } from '../kernel/kernel.js';
import { expectation } from '../launch/expectation.js';
import type { Prepared } from '../launch/prepared.js';
import type { Failure, Outcome } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { NOT_CUT, type PowerCutRecord } from '../record/power-cut.js';
import type { UnitRecord } from '../record/record.js';
import { unitFolder, writeJson } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { storageFailure } from '../store/store.js';
import { type Judgement, judge } from '../verdict/judge.js';
import { omittedFindings } from '../verdict/omitted.js';
import type { UnitRun } from './run-unit.js';

/** Makes a unit's result from what its guest left. */

export interface ConclusionContext {
  prepared: (unit: Unit) => Prepared;
  /** The run's directory. */
  directory: string;
  expected?: (result: UnitResult) => UnitResult['expectedFailure'];
  replay: (unit: Unit, after: readonly string[]) => string;
}

/**
 * A unit that shared its guest: the guest's number in the run, and the tests that it ran before.
 */
export interface SharedGuest {
  guest: number;
  after: readonly string[];
  /** The folder of the unit that the guest was started for. */
  folder: string;
}

/** Judges a unit, and writes the result to its folder. */
export function concludeUnit(
  unit: Unit,
  index: number,
  ran: Outcome<UnitRun>,
  context: ConclusionContext,
  { started, shared }: { started: number; shared?: SharedGuest },
): UnitResult {
  const prepared = context.prepared(unit);
  const folder = unitFolder(unit, index);
  const directory = join(context.directory, folder);
  const judgement = ran.ok
    ? judge(ran.value.record, expectation(unit, prepared))
    : notRun(ran.failure);
  const evidence = ran.ok
    ? explainUnit(ran.value.record, judgement, prepared.witness)
    : { findings: judgement.findings };
  const omitted = ran.ok ? omittedFindings(ran.value.record) : [];
  const result: UnitResult = {
    fs: unit.fs,
    test: unit.test,
    suite: suiteOf(unit, prepared.userTests),
    kernel: kernelOf(unit, prepared.kernel),
    variant: unit.variant,
    pmem: unit.shape.pmem,
    ...describeLayers(unit),
    accel: prepared.accelerator,
    attempt: unit.attempt,
    seed: unit.seed,
    verdict: judgement.verdict,
    reason: withCompany(judgement, shared),
    ...(judgement.outcome ? { outcome: judgement.outcome } : {}),
    control: unit.control,
    dax: describeDax(judgement, prepared),
    ...(unit.devices ? { devices: describeDevices(unit, judgement.dax) } : {}),
    ...(unit.powerCut
      ? { powerCut: describeCuts((ran.ok && ran.value.record.powerCut) || NOT_CUT) }
      : {}),
    ...evidence,
    ...(omitted.length > 0 ? { omitted } : {}),
    ...(ran.ok ? imagesOf(folder, ran.value) : {}),
    bootFindings: ran.ok ? ran.value.record.bootFindings : [],
    ending: ran.ok ? ran.value.record.ending.kind : 'storage',
    ...(ran.ok ? describeCpu(ran.value.record) : {}),
    durationSeconds: seconds((performance.now() - started) / 1000),
    ...describeStart(ran),
    artifacts: ran.ok ? artifactPaths(folder, ran.value, shared?.folder ?? folder) : {},
    ...(shared ? { together: describeShared(shared, context.replay(unit, [])) } : {}),
    replay: context.replay(unit, shared?.after ?? []),
  };
  const expected = context.expected?.(result);
  if (expected) result.expectedFailure = expected;
  try {
    if (existsSync(directory)) writeJson(join(directory, 'unit.json'), result);
  } catch (error) {
    // The result still goes to result.json and to the screen. A bug throws.
    const failed = storageFailure(directory, error);
    if (result.verdict === 'pass') return { ...result, ...notRun(failed.failure), dax: result.dax };
  }
  return result;
}

/** The kernel of a unit, as results name it. */
export function kernelOf(
  { kernelSpec: spec, askedKernel }: Unit,
  { release, id }: Pick<Kernel, 'release' | 'id'>,
): UnitResult['kernel'] {
  return { spec, release, id, ...(askedKernel === undefined ? {} : { asked: askedKernel }) };
}

/** The version of a user's test is the hash of what the guest got. */
export function suiteOf(
  { suite, test, userTest }: Unit,
  userTests: Prepared['userTests'],
): Unit['suite'] {
  const sha256 = userTest && userTests?.get(test)?.sha256;
  return sha256 === undefined ? suite : { ...suite, version: sha256.slice(0, 12) };
}

/** Earlier tests in the same guest may have caused a failure. */
function withCompany({ verdict, reason }: Judgement, shared: SharedGuest | undefined): string {
  const before = shared?.after.length ?? 0;
  if (verdict !== 'fail' || before === 0) return reason;
  return `${reason}; ${before} ${before === 1 ? 'test' : 'tests'} ran in this guest before it`;
}

function describeShared({ guest, after }: SharedGuest, alone: string): UnitResult['together'] {
  return { guest, position: after.length + 1, after: [...after], alone };
}

/** With paths relative to the run's directory. */
function imagesOf(folder: string, { images }: UnitRun): Pick<UnitResult, 'images'> {
  if (images.length === 0) return {};
  const inRun = (file: string | undefined) =>
    file === undefined ? {} : { file: `${folder}/${file}` };
  return { images: images.map((image) => ({ ...image, ...inRun(image.file) })) };
}

/** What was asked for; `dax.looks` has what was there. */
export function describeLayers({
  shape,
  poison,
}: Unit): Pick<UnitResult, 'partition' | 'stack' | 'poison'> {
  const { partition, stack } = shape;
  return {
    ...(partition ? { partition } : {}),
    ...(stack ? { stack } : {}),
    ...(poison ? { poison } : {}),
  };
}

/** TEST_RTDEV is proven by the looks at TEST_DEV, SCRATCH_RTDEV by those at SCRATCH_DEV. */
function describeDevices(
  { devices = [] }: Unit,
  { states }: Judgement['dax'],
): NonNullable<UnitResult['devices']> {
  return ADDITIONAL_DEVICES.filter(({ variable }) => devices.includes(variable)).map(
    ({ variable, use }) => {
      const looks = states.filter(
        ({ when }) => (when === 'scratch') === variable.startsWith('SCRATCH'),
      );
      const dax = use === 'data' ? looks.some(({ realtimeDax }) => realtimeDax === true) : null;
      return { variable, use, dax };
    },
  );
}

/** The findings are listed with the unit's. */
export function describeCuts({ findings: _, ...cuts }: PowerCutRecord): UnitResult['powerCut'] {
  return cuts;
}

/** How the guest began. */
function describeStart(
  ran: Outcome<UnitRun>,
): Pick<UnitResult, 'bootSeconds' | 'cloned' | 'clonedMounted'> {
  if (!ran.ok) return { bootSeconds: null, cloned: false };
  const { bootSeconds, cloned, clonedMounted } = ran.value;
  return {
    bootSeconds: bootSeconds === undefined ? null : seconds(bootSeconds),
    cloned,
    ...(clonedMounted ? { clonedMounted: true } : {}),
  };
}

function notRun(reason: Failure): Judgement {
  return {
    verdict: 'error',
    reason: reason.message,
    dax: {
      proven: false,
      driver: 'none',
      mountOptions: '',
      statxBefore: undefined,
      statxAfter: undefined,
      states: [],
    },
    findings: [],
  };
}

function describeDax({ dax }: Judgement, { module }: Prepared): UnitResult['dax'] {
  return {
    proven: dax.proven,
    driver: dax.driver,
    mountOptions: dax.mountOptions,
    statxBefore: dax.statxBefore ?? null,
    statxAfter: dax.statxAfter ?? null,
    module: module
      ? { origin: module.origin, sha256: module.sha256, buildId: module.buildId }
      : null,
    looks: dax.states.map(
      ({ when, device, path, layers, driver, mountOptions, statxDax, dataSame, ...more }) => ({
        ...{ when, device, path, layers, driver, mountOptions },
        statxDax: statxDax ?? null,
        dataSame: dataSame ?? null,
        data: more.data,
        problems: more.problems,
        messages: more.messages,
      }),
    ),
  };
}

function artifactPaths(
  folder: string,
  { artifacts }: UnitRun,
  guestFolder: string,
): Record<string, string> {
  const paths = Object.entries(artifacts).map(([name, file]) => [
    // The contract's name for the check of the device under test.
    name === 'fsck-test' ? 'fsck' : name,
    `${folder}/${file}`,
  ]);
  return { ...Object.fromEntries(paths), argv: `${guestFolder}/qemu-argv.json` };
}

function describeCpu({ cpu }: UnitRecord): Pick<UnitResult, 'cpu'> {
  if (!cpu) return {};
  const { longestStarved: longest } = cpu;
  return {
    cpu: {
      ...roundedSupply(cpu.unit),
      ...(longest ? { longestStarved: { at: longest.at, ...roundedSupply(longest) } } : {}),
    },
  };
}

function seconds(value: number): number {
  return Math.round(value * 100) / 100;
}
