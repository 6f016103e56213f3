import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM } from '../chunks/copy-inputs.js';
import type { Plan } from '../chunks/schema.js';
import { failure, type Outcome, success } from '../outcome.js';
import { shellQuote } from '../shell-quote.js';
import { findProgram } from '../system/programs.js';
import type { Engine, Submission } from './engine.js';
import type { SshRequest } from './request.js';

/**
 * ssh: GNU parallel with a file of logins. It runs in a session of its own, so that it can go on without
 * us. Nothing of ours listens on a port.
 */

/** No questions, and an end for connections to machines that are gone. */
const SSH =
  'ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=4';

export class Ssh implements Engine {
  constructor(
    readonly directory: string,
    readonly plan: Plan,
    readonly request: SshRequest,
  ) {}

  async submit(chunks: readonly number[], avoid: readonly string[]): Promise<Outcome<Submission>> {
    const missing = ['parallel', 'ssh'].find((program) => !findProgram(program));
    if (missing !== undefined) {
      const remedy = `Install ${missing === 'ssh' ? 'an ssh client' : 'GNU parallel'}`;
      return failure('program-missing', `This machine has no ${missing}`, remedy);
    }
    const others = this.request.hosts.filter(({ host }) => !avoid.includes(host));
    const hosts = others.length > 0 ? others : this.request.hosts;
    const at = Date.now();
    const argv = this.#write(at, chunks, hosts);
    const log = openSync(join(this.directory, `ssh/${at}.log`), 'a');
    try {
      const child = spawn('parallel', argv, {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: '/',
      });
      const pid = await new Promise<number | undefined>((resolve) => {
        child.once('spawn', () => resolve(child.pid));
        child.once('error', () => resolve(undefined));
      });
      child.unref();
      if (pid === undefined) {
        return failure('tool-failed', 'GNU parallel does not start', 'Run `parallel --version`');
      }
      const job = `${pid} ${startOf(pid)}`;
      return success({ number: at, chunks: [...chunks], job, tasks: chunks.length, at });
    } finally {
      closeSync(log);
    }
  }

  #write(number: number, chunks: readonly number[], hosts: SshRequest['hosts']): string[] {
    mkdirSync(join(this.directory, 'ssh'), { recursive: true });
    const place = (kind: string) => join(this.directory, `ssh/${number}.${kind}`);
    writeFileSync(place('hosts'), hosts.map(({ host, jobs = 1 }) => `${jobs}/${host}\n`).join(''));
    writeFileSync(place('chunks'), `${chunks.join('\n')}\n`);
    writeFileSync(place('sh'), this.#script(hosts), { mode: 0o755 });
    const limit = Math.max(...chunks.map((chunk) => this.plan.chunks[chunk - 1]?.limit ?? 0));
    return [
      ...['--plain', '--will-cite', '--ssh', SSH, '--sshloginfile', place('hosts')],
      ...['--arg-file', place('chunks'), '--joblog', place('joblog'), '--jobs', '100%'],
      ...['--timeout', String(limit + 120), '--line-buffer', '--tag'],
      `sh ${shellQuote(place('sh'))} {}`,
    ];
  }

  /** Runs a chunk on the machine that it gets to. */
  #script(hosts: SshRequest['hosts']): string {
    const program = shellQuote(join(this.directory, PROGRAM));
    // Of hosts with a number, each of their places takes one guest at a time.
    const counted = hosts.filter(({ jobs }) => jobs !== undefined).map(({ host }) => host);
    return [
      '#!/bin/sh',
      `node=$(command -v node || echo ${shellQuote(process.execPath)})`,
      'case $PARALLEL_SSHLOGIN in',
      ...counted.map((host) => `  ${shellQuote(host)}) set -- "$1" --jobs 1 ;;`),
      'esac',
      `exec "$node" ${program} chunk ${shellQuote(this.directory)} "$@"`,
      '',
    ].join('\n');
  }

  async pending(submissions: readonly Submission[]): Promise<ReadonlySet<number>> {
    const pending = new Set<number>();
    for (const one of submissions) {
      if (!isRunning(one.job)) continue;
      const over = new Set(this.#ended(one).map(({ chunk }) => chunk));
      for (const chunk of one.chunks) if (!over.has(chunk)) pending.add(chunk);
    }
    return pending;
  }

  failedOn(chunk: number, submissions: readonly Submission[]): string[] {
    const ended = submissions.flatMap((one) => this.#ended(one));
    return [...new Set(ended.filter((one) => one.chunk === chunk).map(({ host }) => host))];
  }

  /** What parallel's log says: `Seq Host Starttime JobRuntime Send Receive Exitval Signal Command`. */
  #ended({ number, chunks }: Submission): { chunk: number; host: string }[] {
    let log = '';
    try {
      log = readFileSync(join(this.directory, `ssh/${number}.joblog`), 'utf8');
    } catch {
      // No job has ended yet.
    }
    return log
      .split('\n')
      .map((line) => line.split('\t'))
      .flatMap(([seq = '', login = '']) => {
        const chunk = chunks[Number(seq) - 1];
        const host = login.replace(/^\d+\//, '');
        return /^\d+$/.test(seq) && chunk !== undefined ? [{ chunk, host }] : [];
      });
  }

  /** The second signal ends the running jobs, too (parallel(1)). */
  async cancel(submissions: readonly Submission[]): Promise<void> {
    for (const { job } of submissions) {
      for (let round = 0; round < 20 && isRunning(job); round += 1) {
        signal(job, round < 10 ? 'SIGTERM' : 'SIGKILL');
        await sleep(500);
      }
    }
  }
}

/** When a process started, in the kernel's ticks since boot: a number may belong to another one later. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? '';
}

/** The fields of /proc/PID/stat from the state on (proc(5)); none if there is no such process. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function isRunning(job: string): boolean {
  const [pid, start = ''] = job.split(' ');
  const stat = statOf(Number(pid));
  return start !== '' && stat[19] === start && !/^[ZX]$/.test(stat[0] ?? '');
}

function signal(job: string, name: NodeJS.Signals): void {
  const pid = Number(job.split(' ')[0]);
  try {
    // SIGKILL for all of its session; parallel itself ends its children in order.
    process.kill(name === 'SIGKILL' ? -pid : pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
