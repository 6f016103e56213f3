import { execa } from 'execa';
import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { aptInstall } from './apt.js';
import {
  type Distribution,
  describeMissing,
  installCommand,
  packagesFor,
  readDistribution,
} from './distribution.js';
import { findProgram, type Missing, missingRequirements, systemPath } from './programs.js';
import { type Part, REQUIREMENTS, type Requirement } from './requirements.js';

/** Installs what the system lacks, or tells the user how to. */

/** Properties of the machine; tests give another one. */
export interface Host {
  path: string;
  root: boolean;
  /** Whether a user can be asked for a password. */
  terminal: boolean;
  distribution: Distribution;
  requirements: readonly Requirement[];
  aptLists: string;
  lockWait: number;
  lockPause: number;
}

export function thisHost(): Host {
  return {
    path: systemPath(),
    root: process.getuid?.() === 0,
    terminal: process.stdin.isTTY === true,
    distribution: readDistribution(),
    requirements: REQUIREMENTS,
    aptLists: '/var/lib/apt/lists',
    lockWait: 10 * 60 * 1000,
    lockPause: 2000,
  };
}

export interface InstallContext {
  progress: Progress;
  signal?: AbortSignal;
  host?: Host;
}

/**
 * Makes sure that the system has everything for these parts of the work. If it does, this only
 * looks at some directories and starts no program.
 */
export async function ensureSystem(
  parts: readonly Part[],
  { progress, signal, host = thisHost() }: InstallContext,
): Promise<Outcome<void>> {
  const look = () => missingRequirements(parts, host.path, host.requirements);
  const missing = look();
  if (missing.length === 0) return success(undefined);
  const privilege = await installPrivilege(host);
  if (!privilege.ok) return notInstallable(missing, host, privilege.reason);
  const packages = packagesFor(missing, 'debian');
  const attempt = `${host.path} ${packages.join(' ')}`;
  const failed = failedInstalls.get(attempt);
  if (failed) return failed;
  announce(missing, privilege.argv, host, progress);
  const installed = await aptInstall(packages, {
    privilege: privilege.argv,
    path: host.path,
    lists: host.aptLists,
    progress,
    lockWait: host.lockWait,
    lockPause: host.lockPause,
    ...(signal ? { signal } : {}),
  });
  const still = look();
  // Another set-up may have installed everything while ours waited and failed.
  if (still.length === 0) return success(undefined);
  if (!installed.ok) {
    if (installed.failure.kind !== 'interrupted') failedInstalls.set(attempt, installed);
    return installed;
  }
  return failure(
    'program-missing',
    `apt-get installed ${packages.join(', ')}, but ${namesOf(still)} cannot be found`,
    'Check whether they are in a directory that is not in PATH',
  );
}

/** Installations that failed. A command does not try the same one again for its next variant. */
const failedInstalls = new Map<string, Outcome<void>>();

export type Privilege = { ok: true; argv: readonly string[] } | { ok: false; reason: string };

/** The prefix for a command that must run as root. Asks for no password. */
export async function installPrivilege(host: Host): Promise<Privilege> {
  const { distribution, path } = host;
  if (distribution.family !== 'debian' || !findProgram('apt-get', path)) {
    return { ok: false, reason: `daxrepro cannot install packages on ${distribution.name}` };
  }
  if (host.root) return { ok: true, argv: [] };
  if (!findProgram('sudo', path)) {
    return { ok: false, reason: 'installing them needs root, and there is no sudo' };
  }
  if (host.terminal) return { ok: true, argv: ['sudo'] };
  const silent = await execa('sudo', ['-n', 'true'], {
    env: { PATH: path },
    stdin: 'ignore',
    reject: false,
  });
  return silent.failed
    ? { ok: false, reason: 'sudo needs a password, and there is no terminal to type it' }
    : { ok: true, argv: ['sudo', '-n'] };
}

function announce(
  missing: readonly Missing[],
  privilege: readonly string[],
  host: Host,
  progress: Progress,
): void {
  const how = privilege.length > 0 ? 'apt-get through sudo' : 'apt-get';
  const lines = describeMissing(missing, host.distribution.family).map((line) => `\n  ${line}`);
  progress({ type: 'note', text: `Installing with ${how}:${lines.join('')}` });
}

function notInstallable(
  missing: readonly Missing[],
  { distribution, root }: Host,
  reason: string,
): Outcome<void> {
  const command = installCommand(missing, distribution, root);
  return failure(
    'program-missing',
    `This machine lacks ${namesOf(missing)}; ${reason}`,
    command === undefined ? 'Install the programs listed above' : `Install them: ${command}`,
    { detail: describeMissing(missing, distribution.family).join('\n') },
  );
}

function namesOf(missing: readonly Missing[]): string {
  return missing.flatMap(({ names }) => names).join(', ');
}
