import { holds } from '../compare/expectations.js';
import { type Compared, withDifferences } from '../compare/job.js';
import type { JobResult } from '../job/job.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { ComparedCase, CompareResult, CompareUnit } from '../results/compare-result.js';
import type { RunResult, UnitMachine, UnitResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import { resultWithoutRun, UNKNOWN_KERNEL } from '../run/unprepared.js';
import { readNotes } from './notes.js';
import { readPlan, readUnits } from './read-plan.js';
import type { MachineNote, Plan, PlannedUnit } from './schema.js';
import { SharedValues } from './share-values.js';
import { readUnitState, type UnitState } from './unit-file.js';

/**
 * Makes one run of the results that machines left in the directory of a plan. Every planned unit has a
 * result: one that is missing, torn or of something else is an `error` that says so.
 */

export interface Collected {
  plan: Plan;
  result: JobResult | CompareResult;
  /** Units without a whole result. */
  missing: number;
}

export function collect(directory: string): Outcome<Collected> {
  const plan = readPlan(directory);
  if (!plan.ok) return plan;
  const collecting = new Collecting(directory, plan.value);
  const read = collecting.read();
  if (!read.ok) return read;
  const { units, ended, missing } = collecting;
  const whole = resultOf(directory, plan.value, units, ended);
  return success({ plan: plan.value, result: whole, missing });
}

function resultOf(
  directory: string,
  plan: Plan,
  units: UnitResult[],
  ended: number,
): JobResult | CompareResult {
  const started = new Date(plan.started);
  const result = {
    ...runResult(plan.command, started, units, hostOf(units), directory),
    durationSeconds: Math.max(0, Math.round((ended - started.getTime()) / 10) / 100),
    tools: plan.tools,
  };
  if (!plan.case) return result;
  return withDifferences(plan.case as ComparedCase, result as Compared, {});
}

class Collecting {
  readonly units: UnitResult[];
  missing = 0;
  /** When the last unit ended, in milliseconds. */
  ended = 0;
  readonly #shared = new SharedValues();
  readonly #guests = new Map<string, number>();
  #chunks: ReadonlyMap<number, string> | undefined;
  #notes: MachineNote[] | undefined;

  constructor(
    readonly directory: string,
    readonly plan: Plan,
  ) {
    this.units = new Array<UnitResult>(plan.units);
  }

  read(): Outcome<void> {
    let known = 0;
    for (const file of this.plan.all) {
      const units = readUnits(this.directory, file);
      if (!units.ok) return units;
      for (const one of units.value) {
        if (one.at >= this.plan.units || this.units[one.at]) return changed(this.directory);
        this.units[one.at] = this.#resultOf(one);
        known += 1;
      }
    }
    return known === this.plan.units ? success(undefined) : changed(this.directory);
  }

  #resultOf(planned: PlannedUnit): UnitResult {
    const read: UnitState =
      planned.failure === undefined
        ? readUnitState(this.directory, planned, this.plan.id)
        : { state: 'missing' };
    const result = read.state === 'whole' ? this.#whole(read) : this.#without(planned, read);
    if (planned.expected === undefined) return result;
    const { expected, failure: failed } = planned;
    const own = { ...result, expected, held: holds(result, expected) };
    const compared: CompareUnit = failed ? { ...own, failure: failed } : own;
    return compared;
  }

  #whole({ result, header }: UnitState & { state: 'whole' }): UnitResult {
    this.ended = Math.max(this.ended, header.ended);
    const { together } = result;
    if (together) {
      // Each process counts its own guests.
      const key = `${header.session} ${together.guest}`;
      const guest = this.#guests.get(key) ?? this.#guests.size + 1;
      this.#guests.set(key, guest);
      result.together = { ...together, guest };
    }
    return this.#shared.fieldsOf(result);
  }

  #without(planned: PlannedUnit, read: UnitState): UnitResult {
    const { unit, prepared, replay, failure: failed } = planned;
    const kernel = prepared === undefined ? undefined : this.plan.prepared[prepared]?.kernel;
    const { accelerator } = this.plan.settings;
    if (!failed) this.missing += 1;
    return resultWithoutRun(unit, failed ?? this.#whyMissing(planned, read), {
      ...{ kernel: kernel ?? UNKNOWN_KERNEL, accel: accelerator === 'kvm' ? 'kvm' : 'tcg', replay },
    });
  }

  #whyMissing({ at }: PlannedUnit, read: UnitState) {
    this.#chunks ??= chunkNumbers(this.directory, this.plan);
    const name = this.#chunks.get(at);
    const number = this.plan.chunks.findIndex((chunk) => chunk.name === name) + 1;
    const again = 'Run the chunk again, or use `daxrepro plan --rerun`';
    if (read.state === 'bad') return failure('tool-failed', read.problem, again).failure;
    this.#notes ??= readNotes(this.directory, this.plan.id);
    const note = this.#notes.findLast(({ chunk }) => chunk === name);
    const which = number > 0 ? `chunk ${number}` : 'its chunk';
    return failure('tool-failed', `the unit has no result: ${whatHappened(which, note)}`, again)
      .failure;
  }
}

function whatHappened(chunk: string, note: MachineNote | undefined): string {
  if (!note) return `no machine started ${chunk}`;
  const { machine, ended, problem } = note;
  if (problem !== undefined) return `${chunk} ended early on ${machine.host}: ${problem}`;
  return ended === undefined
    ? `${machine.host} started ${chunk} and did not end it`
    : `${machine.host} ended ${chunk} without it`;
}

/** The chunk of each unit, by its place. */
function chunkNumbers(directory: string, plan: Plan): Map<number, string> {
  const chunks = new Map<number, string>();
  for (const file of plan.chunks) {
    const units = readUnits(directory, file);
    for (const { at } of units.ok ? units.value : []) chunks.set(at, file.name);
  }
  return chunks;
}

function changed(directory: string): Outcome<never> {
  return failure(
    'unreadable',
    `The plan in ${directory} does not list each of its units once`,
    'Copy the whole directory again, or make a new plan',
  );
}

/** All machines that ran units, as the host of the run. */
function hostOf(units: readonly UnitResult[]): RunResult['host'] {
  const machines = new Map<string, UnitMachine>();
  for (const { machine } of units) if (machine) machines.set(machine.host, machine);
  const all = [...machines.values()];
  const every = (of: (machine: UnitMachine) => string) => {
    const values = new Set(units.flatMap(({ machine }) => (machine ? [of(machine)] : [])));
    return [...values].sort().join(' and ') || 'unknown';
  };
  return {
    kernel: every(({ kernel }) => kernel),
    qemu: every(({ qemu }) => qemu),
    node: every(({ node }) => node),
    cpus: all.reduce((sum, { cpus }) => sum + cpus, 0),
  };
}
