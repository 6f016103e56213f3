import { setTimeout as sleep } from 'node:timers/promises';
import { readNotes } from '../chunks/notes.js';
import { readPlan, readUnits } from '../chunks/read-plan.js';
import type { MachineNote, Plan, PlannedUnit } from '../chunks/schema.js';
import { folderOf, readUnitState } from '../chunks/unit-file.js';
import type { JobReporter } from '../job/job.js';
import { namesIn } from '../names-in.js';
import { type Outcome, success } from '../outcome.js';
import { plural } from '../words.js';
import { type Engine, type EngineState, keepState } from './engine.js';

/**
 * Watches the results of a planned run appear, and hands chunks to other machines whose machine failed.
 * Only result files count: the engine only says whether waiting still makes sense.
 */

/** How often a chunk is given to a machine. */
const ATTEMPTS = 3;

/** Milliseconds between looks at the files, and between questions to the engine. */
const LOOK = 500;
const ASK = 4000;

/** Milliseconds without any news after which an engine that does not answer is given up. */
const SILENCE = 15 * 60_000;

/** Milliseconds that a chunk may be late, since clocks differ and a chunk ends its guests first. */
const OVERDUE = 10 * 60_000;

export interface WatchContext {
  reporter: JobReporter;
  signal: AbortSignal;
}

export type WatchEnd =
  /** Every unit has a result, or no machine is left to try. */
  | 'over'
  /** Ctrl-C. */
  | 'interrupted'
  /** The engine did not answer for too long; its chunks may still run. */
  | 'silent';

export async function watch(
  directory: string,
  engine: Engine,
  state: EngineState,
  context: WatchContext,
): Promise<Outcome<WatchEnd>> {
  const plan = readPlan(directory);
  if (!plan.ok) return plan;
  const watching = new Watching(directory, plan.value, engine, state, context);
  const opened = watching.open();
  return opened.ok ? watching.run() : opened;
}

interface Chunk {
  /** From 1. */
  number: number;
  /** Units without a whole result. */
  open: Set<PlannedUnit>;
  /** How often the engine did not know it, one time after the other. */
  unknown: number;
  over: boolean;
}

class Watching {
  readonly #chunks: Chunk[] = [];
  #news = Date.now();
  #notes: readonly MachineNote[] = [];

  constructor(
    readonly directory: string,
    readonly plan: Plan,
    readonly engine: Engine,
    readonly state: EngineState,
    readonly context: WatchContext,
  ) {}

  open(): Outcome<void> {
    for (const [at, file] of this.plan.chunks.entries()) {
      const units = readUnits(this.directory, file);
      if (!units.ok) return units;
      const open = new Set(units.value);
      this.#chunks.push({ number: at + 1, open, unknown: 0, over: false });
    }
    const { length } = this.#chunks.flatMap(({ open }) => [...open]);
    this.context.reporter.expect(length);
    return success(undefined);
  }

  async run(): Promise<Outcome<WatchEnd>> {
    let asked = 0;
    for (;;) {
      this.#look();
      if (this.#left.length === 0) return success('over');
      if (this.context.signal.aborted) return success('interrupted');
      if (Date.now() - asked >= ASK) {
        asked = Date.now();
        const given = await this.#ask();
        if (!given.ok) return given;
        if (Date.now() - this.#news > SILENCE + this.#longest) return success('silent');
      }
      await sleep(LOOK, undefined, { signal: this.context.signal }).catch(() => {});
    }
  }

  get #left(): Chunk[] {
    return this.#chunks.filter(({ over, open }) => !over && open.size > 0);
  }

  /** Milliseconds; 0 if nothing is left. */
  get #longest(): number {
    const limits = this.#left.map(({ number }) => this.plan.chunks[number - 1]?.limit ?? 0);
    return Math.max(0, ...limits) * 1000;
  }

  /** Reads the results that have appeared. */
  #look(): void {
    // None, if a file server is away for a moment.
    const names = new Set(namesIn(this.directory));
    for (const { open } of this.#left) {
      for (const unit of open) {
        if (!names.has(folderOf(unit))) continue;
        const found = readUnitState(this.directory, unit, this.plan.id);
        if (found.state !== 'whole') continue;
        open.delete(unit);
        this.#news = Date.now();
        this.context.reporter.unitFinished(found.result, unit.index);
      }
    }
  }

  /** Gives chunks to other machines that no machine works on any more. */
  async #ask(): Promise<Outcome<void>> {
    const pending = await this.engine.pending(this.state.submissions);
    if (!pending) return success(undefined);
    this.#news = Date.now();
    const lost: Chunk[] = [];
    this.#notes = readNotes(this.directory, this.plan.id);
    for (const chunk of this.#left) {
      const waits = pending.has(chunk.number) && !this.#isOverdue(chunk.number);
      chunk.unknown = waits ? 0 : chunk.unknown + 1;
      // A file may take a moment to be seen from here.
      if (chunk.unknown > 1) lost.push(chunk);
    }
    const again = lost.filter(({ number }) => this.#attemptsOf(number) < ATTEMPTS);
    for (const chunk of lost) {
      chunk.unknown = 0;
      if (!again.includes(chunk)) chunk.over = true;
    }
    return again.length > 0 ? this.#again(again.map(({ number }) => number)) : success(undefined);
  }

  /** Whether every machine that started the chunk has had all its time: the engine may not know. */
  #isOverdue(number: number): boolean {
    const { name, limit = 0 } = this.plan.chunks[number - 1] ?? {};
    const last = this.state.submissions.findLast(({ chunks }) => chunks.includes(number));
    const started = this.#notes
      .filter(({ chunk, started }) => chunk === name && started >= (last?.at ?? 0))
      .map((note) => note.started);
    if (started.length === 0) return false;
    return Date.now() > Math.max(...started) + limit * 1000 + OVERDUE;
  }

  #attemptsOf(chunk: number): number {
    return this.state.submissions.filter(({ chunks }) => chunks.includes(chunk)).length;
  }

  async #again(chunks: readonly number[]): Promise<Outcome<void>> {
    const { submissions } = this.state;
    const avoid = [...new Set(chunks.flatMap((one) => this.engine.failedOn(one, submissions)))];
    const elsewhere = avoid.length > 0 ? `, not on ${avoid.join(', ')}` : '';
    const text = `${plural(chunks.length, 'chunk')} ended without all results: starting again${elsewhere}`;
    this.context.reporter.progress({ type: 'note', text });
    const submitted = await this.engine.submit(chunks, avoid);
    if (!submitted.ok) {
      // What is there is reported all the same.
      const { message } = submitted.failure;
      this.context.reporter.progress({ type: 'note', text: message });
      for (const one of this.#chunks) if (chunks.includes(one.number)) one.over = true;
      return success(undefined);
    }
    this.state.submissions.push(submitted.value);
    keepState(this.directory, this.state);
    return success(undefined);
  }
}
