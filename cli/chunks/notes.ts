import { mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { namesIn } from '../names-in.js';
import { writeJson } from '../results/run-directory.js';
import { type MachineNote, noteSchema } from './schema.js';

/** What machines say about their work: for messages and estimates, never for verdicts. */

const FOLDER = 'machines';

/** The name of this machine: Slurm's name of the node, of which several may share a host. */
export function nodeName(): string {
  return process.env['SLURMD_NODENAME'] ?? hostname();
}

/** A name for one process on one machine. */
export function newSession(): string {
  return `${nodeName().replaceAll(/[^A-Za-z0-9.-]+/g, '-')}-${process.pid}-${Date.now().toString(36)}`;
}

/** @param chunk the name of its file */
export function writeNote(directory: string, note: MachineNote): void {
  mkdirSync(join(directory, FOLDER), { recursive: true });
  writeJson(join(directory, FOLDER, `${note.session}.json`), note);
}

/** Every readable note of this plan, the earliest first. */
export function readNotes(directory: string, plan: string): MachineNote[] {
  return namesIn(join(directory, FOLDER))
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      try {
        const text = readFileSync(join(directory, FOLDER, name), 'utf8');
        const note = noteSchema.safeParse(JSON.parse(text));
        return note.success && note.data.plan === plan ? [note.data as MachineNote] : [];
      } catch {
        return [];
      }
    })
    .sort((one, other) => one.started - other.started);
}

export const WORK = 'work';

/** Removes what processes of this machine left that were killed. */
export function removeDeadWork(directory: string): void {
  const own = newSession().replace(/-\d+-[a-z0-9]+$/, '');
  for (const name of namesIn(join(directory, WORK))) {
    const [, host, pid] = /^(.+)-(\d+)-[a-z0-9]+$/.exec(name) ?? [];
    if (host !== own || pid === undefined || isAlive(pid)) continue;
    rmSync(join(directory, WORK, name), { recursive: true, force: true });
  }
}

function isAlive(pid: string): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
