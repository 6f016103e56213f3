import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM } from '../chunks/copy-inputs.js';
import { readNotes } from '../chunks/notes.js';
import type { Plan } from '../chunks/schema.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { shellQuote } from '../shell-quote.js';
import { findProgram } from '../system/programs.js';
import type { Engine, Submission } from './engine.js';
import type { SlurmRequest } from './request.js';

/**
 * Slurm: an array of tasks, each with its share of the chunks. Its exit codes are not used: of a job whose
 * node died, some versions say that it completed (measured with 22.05).
 */

/** The highest index of an array, if Slurm is not configured otherwise (MaxArraySize is one more). */
const MOST_TASKS = 1000;

/** Milliseconds for a command of Slurm: without its controller, each waits for a long time. */
const PATIENCE = 60_000;

export class Slurm implements Engine {
  constructor(
    readonly directory: string,
    readonly plan: Plan,
    readonly request: SlurmRequest,
  ) {}

  async submit(chunks: readonly number[], avoid: readonly string[]): Promise<Outcome<Submission>> {
    const missing = ['sbatch', 'squeue', 'scancel'].find((program) => !findProgram(program));
    if (missing !== undefined) {
      return failure('program-missing', `This machine has no ${missing}`, 'Run it where Slurm is');
    }
    const at = Date.now();
    const tasks = Math.min(chunks.length, MOST_TASKS);
    const script = this.#writeScript(at, chunks, tasks);
    const submitted = await this.#sbatch(script, chunks, tasks, avoid);
    if (submitted.ok)
      return success({ number: at, chunks: [...chunks], tasks, at, ...submitted.value });
    // With other nodes excluded there may be none left that fits.
    if (avoid.length === 0) return submitted;
    const again = await this.#sbatch(script, chunks, tasks, []);
    return again.ok
      ? success({ number: at, chunks: [...chunks], tasks, at, ...again.value })
      : again;
  }

  async #sbatch(
    script: string,
    chunks: readonly number[],
    tasks: number,
    avoid: readonly string[],
  ): Promise<Outcome<{ job: string }>> {
    const { partition, account, max } = this.request;
    const share = Math.ceil(chunks.length / tasks);
    const longest = Math.max(...chunks.map((chunk) => this.plan.chunks[chunk - 1]?.limit ?? 0));
    // A little more than the chunk's own limit, after which it ends by itself.
    const seconds = this.request.time ?? share * (longest + 120);
    const submitted = await runTool(
      [
        ...(['sbatch', '--parsable', '--job-name=daxrepro', '--no-requeue'] as const),
        `--array=1-${tasks}${max === undefined ? '' : `%${max}`}`,
        ...['--ntasks=1', '--cpus-per-task=1', `--time=${Math.ceil(seconds / 60)}`],
        ...[`--output=${join(this.directory, 'slurm/%A_%a.log')}`, '--open-mode=append'],
        ...(partition === undefined ? [] : [`--partition=${partition}`]),
        ...(account === undefined ? [] : [`--account=${account}`]),
        ...(avoid.length > 0 ? [`--exclude=${avoid.join(',')}`] : []),
        script,
      ],
      { timeout: PATIENCE },
    );
    const [, job] = /^(\d+)(?:;.*)?$/m.exec(submitted.stdout) ?? [];
    if (job !== undefined) return success({ job });
    const detail = submitted.all.trim();
    return failure(
      'tool-failed',
      'sbatch did not accept the chunks',
      'See what it says; `daxrepro chunk` runs a chunk without Slurm',
      detail ? { detail } : {},
    );
  }

  /** Task k has the chunks k, k + tasks … of the list. */
  #writeScript(number: number, chunks: readonly number[], tasks: number): string {
    mkdirSync(join(this.directory, 'slurm'), { recursive: true });
    const list = join(this.directory, `slurm/${number}.chunks`);
    writeFileSync(list, `${chunks.join('\n')}\n`);
    const program = shellQuote(join(this.directory, PROGRAM));
    const script = join(this.directory, `slurm/${number}.sh`);
    const lines = [
      '#!/bin/sh',
      '# Runs chunks of a planned run. Their results are in files; the exit code is for people.',
      `node=$(command -v node || echo ${shellQuote(process.execPath)})`,
      'code=0',
      `for chunk in $(awk -v k="$SLURM_ARRAY_TASK_ID" 'NR % ${tasks} == k % ${tasks}' ${shellQuote(list)}); do`,
      `  "$node" ${program} chunk ${shellQuote(this.directory)} "$chunk" --jobs 1 || code=$?`,
      'done',
      'exit "$code"',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755 });
    return script;
  }

  async pending(submissions: readonly Submission[]): Promise<ReadonlySet<number> | undefined> {
    const pending = new Set<number>();
    for (const { job, tasks, chunks } of submissions) {
      const queue = await runTool(
        ['squeue', '--noheader', '--array', `--jobs=${job}`, '--format=%i|%T'],
        { timeout: PATIENCE },
      );
      // Slurm forgets jobs that are over for some minutes.
      if (!queue.ok && !/Invalid job id/i.test(queue.all)) return undefined;
      for (const [, task, state = ''] of queue.stdout.matchAll(/^\d+_(\d+)\|(\w+)/gm)) {
        if (OVER.has(state)) continue;
        for (const [at, chunk] of chunks.entries()) {
          if ((at + 1) % tasks === Number(task) % tasks) pending.add(chunk);
        }
      }
    }
    return pending;
  }

  failedOn(chunk: number): string[] {
    const name = this.plan.chunks[chunk - 1]?.name;
    const notes = readNotes(this.directory, this.plan.id).filter((note) => note.chunk === name);
    return [...new Set(notes.map(({ machine }) => machine.host))];
  }

  async cancel(submissions: readonly Submission[]): Promise<void> {
    const [first, ...others] = submissions.map(({ job }) => job);
    if (first !== undefined) await runTool(['scancel', first, ...others], { timeout: PATIENCE });
  }
}

/** States of tasks that are over, of those that squeue may still list. */
const OVER = new Set([
  ...['BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY'],
  ...['PREEMPTED', 'REVOKED', 'TIMEOUT'],
]);
