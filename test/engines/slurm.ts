import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { findProgram } from '../../cli/system/programs.js';
import { freePort } from './sshd.js';

/** A real Slurm on loopback, without systemd: a controller, and several nodes on this machine. */

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'sinfo'];

/** Why there is none here; undefined if there is. */
export function noSlurm(): string | undefined {
  const missing = PROGRAMS.filter((one) => !findProgram(one));
  if (missing.length > 0) return `this machine has no ${missing.join(', ')}`;
  return process.getuid?.() === 0 ? undefined : 'slurmd needs root';
}

export class SlurmCluster {
  readonly #daemons = new Map<string, ChildProcess>();

  private constructor(
    readonly directory: string,
    readonly nodes: readonly string[],
    /** For Slurm's commands. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(directory: string, nodes: readonly string[]): Promise<SlurmCluster> {
    const at = (name: string) => join(directory, name);
    for (const name of ['state', ...nodes.map((node) => `spool-${node}`)]) {
      mkdirSync(at(name), { recursive: true });
    }
    writeFileSync(at('munge.key'), 'k'.repeat(128), { mode: 0o400 });
    const conf = at('slurm.conf');
    const cluster = new SlurmCluster(directory, nodes, { SLURM_CONF: conf });
    writeFileSync(conf, await cluster.#configuration());
    writeFileSync(at('cgroup.conf'), cgroups());
    cluster.#spawn('munged', [
      ...['--foreground', '--force', '--num-threads=2', `--socket=${at('munge')}`],
      ...[`--key-file=${at('munge.key')}`, `--pid-file=${at('munge.pid')}`],
      ...[`--seed-file=${at('munge.seed')}`, `--log-file=${at('munge.log')}`],
    ]);
    cluster.startController();
    for (const node of nodes) cluster.startNode(node);
    await cluster.idle();
    return cluster;
  }

  async #configuration(): Promise<string> {
    const { directory, nodes } = this;
    const short = hostname().split('.')[0];
    const machines: string[] = [];
    for (const node of nodes) {
      machines.push(
        `NodeName=${node} NodeHostname=${short} NodeAddr=127.0.0.1 Port=${await freePort()} CPUs=1`,
      );
    }
    return [
      ...[
        'ClusterName=test',
        `SlurmctldHost=${short}(127.0.0.1)`,
        `SlurmUser=${userInfo().username}`,
      ],
      ...[`SlurmctldPort=${await freePort()}`, 'SlurmdUser=root', 'AuthType=auth/munge'],
      ...[`AuthInfo=socket=${join(directory, 'munge')}`, 'MpiDefault=none', 'ReturnToService=2'],
      'CommunicationParameters=NoInAddrAny,NoCtldInAddrAny',
      ...['ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none', 'KillWait=2'],
      ...['SelectType=select/cons_tres', 'SelectTypeParameters=CR_CPU'],
      ...['SlurmdParameters=config_overrides', 'SlurmdTimeout=15', 'UnkillableStepTimeout=10'],
      ...[`StateSaveLocation=${join(directory, 'state')}`],
      ...[`SlurmdSpoolDir=${join(directory, 'spool-%n')}`],
      ...[
        `SlurmctldPidFile=${join(directory, 'ctld.pid')}`,
        `SlurmdPidFile=${join(directory, '%n.pid')}`,
      ],
      ...['JobAcctGatherType=jobacct_gather/none', 'AccountingStorageType=accounting_storage/none'],
      ...machines,
      `PartitionName=all Nodes=${nodes.join(',')} Default=YES MaxTime=INFINITE State=UP`,
      '',
    ].join('\n');
  }

  #spawn(name: string, argv: readonly string[], label = name): void {
    const log = openSync(join(this.directory, `${label}.log`), 'a');
    const child = spawn(findProgram(name) ?? name, argv, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.env },
    });
    this.#daemons.set(label, child);
  }

  startController(): void {
    this.#spawn('slurmctld', ['-D']);
  }

  startNode(node: string): void {
    this.#spawn('slurmd', ['-D', '-N', node], node);
  }

  /** SIGKILL, as when a machine dies. */
  async kill(label: string): Promise<void> {
    await this.#end(label, 'SIGKILL');
  }

  async #end(label: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#daemons.get(label);
    this.#daemons.delete(label);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async command(program: string, ...words: string[]): Promise<string> {
    const ended = await execa(program, words, { env: this.env, reject: false, timeout: 30_000 });
    return `${ended.stdout}${ended.stderr}`;
  }

  /** Waits until every node takes jobs. */
  async idle(): Promise<void> {
    for (let round = 0; round < 600; round += 1) {
      const states = await this.command('sinfo', '--noheader', '--Node', '--format=%N %T');
      if (this.nodes.every((node) => new RegExp(`^${node} idle$`, 'm').test(states))) return;
      await sleep(200);
    }
    throw new Error(`Slurm did not start: ${await this.command('sinfo', '--Node')}`);
  }

  async stop(): Promise<void> {
    await this.command('scancel', '--user=root');
    for (const node of this.nodes) await this.#end(node, 'SIGTERM');
    await this.#end('slurmctld', 'SIGTERM');
    await this.#end('munged', 'SIGTERM');
    // Of jobs that a killed slurmd left: their keeper.
    const spools = this.nodes.map((node) => `spool-${node}`);
    for (const pid of processesNaming(this.directory, spools)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** Processes with a command line that names one of these places. */
function processesNaming(directory: string, names: readonly string[]): number[] {
  const found = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  return found
    .split('\n')
    .filter((line) => names.some((name) => line.includes(join(directory, name))))
    .map((line) => Number(line.trim().split(/\s+/)[0]))
    .filter((pid) => pid !== process.pid);
}

/** Slurm from 23 on wants to hear that there are no cgroups. */
function cgroups(): string {
  const version = execFileSync(findProgram('slurmctld') ?? 'slurmctld', ['-V'], {
    encoding: 'utf8',
  });
  return Number(/(\d+)\./.exec(version)?.[1] ?? 0) >= 23 ? 'CgroupPlugin=disabled\n' : '';
}
