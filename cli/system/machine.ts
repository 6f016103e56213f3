import { spawn } from 'node:child_process';
import { access, constants, readdir, readFile, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemPath } from './programs.js';

/** The machine's resources and restrictions. */

export interface Machine {
  processors: number;
  /** Bytes, limited by the control group. */
  memory: number;
  memoryAvailable: number;
}

export async function describeMachine(): Promise<Machine> {
  const text = await readFile('/proc/meminfo', 'utf8');
  const bytes = (key: string) =>
    Number(text.match(new RegExp(`^${key}: *(\\d+) kB`, 'm'))?.[1] ?? 0) * 1024;
  const limit = process.constrainedMemory();
  const total = bytes('MemTotal');
  // No limit is 0 or a number above all memory.
  const memory = limit > 0 ? Math.min(limit, total) : total;
  return {
    processors: availableParallelism(),
    memory,
    memoryAvailable: Math.min(bytes('MemAvailable'), memory),
  };
}

export interface Place {
  directory: string;
  /** Bytes that this user can still write. */
  free: number;
  writable: boolean;
  /** The kernel's build tools run from the cache, which `noexec` forbids. */
  noexec: boolean;
}

/** If `directory` does not exist: for the closest existing parent. */
export async function describePlace(directory: string): Promise<Place> {
  let existing = directory;
  for (;;) {
    try {
      await access(existing);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') break;
      if (dirname(existing) === existing) break;
      existing = dirname(existing);
    }
  }
  const space = await statfs(existing).catch(() => undefined);
  const writable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return {
    directory,
    free: space ? space.bavail * space.bsize : 0,
    writable,
    noexec: mountOptions(mounts, existing).includes('noexec'),
  };
}

/** The options of the mount that contains `directory`, from /proc/self/mountinfo (proc(5)). */
export function mountOptions(mountinfo: string, directory: string): string[] {
  let best: { point: string; options: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped, options] = line.split(' ');
    if (escaped === undefined || options === undefined) continue;
    const point = escaped.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const within = directory === point || directory.startsWith(point === '/' ? '/' : `${point}/`);
    // A later line with the same mount point is mounted over the earlier one.
    if (within && point.length >= (best?.point.length ?? 0)) best = { point, options };
  }
  return best?.options.split(',') ?? [];
}

/** Tests whether a child dies with its parent, so that QEMU cannot outlive us. */
export async function parentDeathWorks(path: string = systemPath()): Promise<boolean> {
  const child = `echo $$; exec sleep 60`;
  const script = `setpriv --pdeathsig KILL -- sh -c '${child}' & wait`;
  const parent = spawn('sh', ['-c', script], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // Without a shell, its output ends at once.
  parent.on('error', () => {});
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const first = await lines.next();
  parent.kill('SIGKILL');
  if (first.done) return false;
  const pid = Number(first.value);
  for (let tries = 0; tries < 40; tries++) {
    if (!(await isAlive(pid))) return true;
    await sleep(50);
  }
  process.kill(pid, 'SIGKILL');
  return false;
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // A zombie is dead, whoever its new parent is.
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

/** What a security module might block; undefined if none confines us. */
export async function confinement(): Promise<string | undefined> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  if ((await read('/sys/fs/selinux/enforce')).trim() === '1') {
    return 'SELinux is enforcing: if QEMU cannot open a file, look at `ausearch -m avc`';
  }
  const label = (await read('/proc/self/attr/current')).replaceAll('\0', '').trim();
  if (label.endsWith('(enforce)')) {
    return `AppArmor confines this process (${label}): if QEMU cannot open a file, look at the kernel's log`;
  }
  return undefined;
}

/** Releases of the kernel images in the cache. */
export async function cachedKernels(cache: string): Promise<string[]> {
  const images = join(cache, 'kernel-image');
  const releases = await Promise.all(
    (await names(images)).map((key) => names(join(images, key, 'lib/modules'))),
  );
  return [...new Set(releases.flat())].sort();
}

async function names(directory: string): Promise<string[]> {
  const all = await readdir(directory).catch(() => []);
  return all.filter((name) => !name.startsWith('.'));
}
