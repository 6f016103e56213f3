import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inheritedPath } from '../guest/machine.js';
import type { ExecutionEnd } from '../guest/recording.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { z } from '../schema.js';
import { sha256Of, sha256OfFile } from '../sha256.js';
import { storageFailure } from '../store/store.js';

/**
 * The record of a unit's execution, kept in the run's directory. QEMU replays it instruction by instruction.
 *
 *     001-ext4-generic-002/record/execution    what entered the machine, as QEMU wrote it
 *     001-ext4-generic-002/record/record.json  written last: how to replay it, and what it must reproduce
 *     starting-points/KEY/                     memory, devices and state that units began with, and the kernel
 */

/** The file that QEMU writes, in the unit's folder until it is kept or discarded. */
export const EXECUTION = 'execution';
export const RECORD = 'record';
export const RECORD_FILE = 'record.json';
const STARTING_POINTS = 'starting-points';

/** What a guest began with. Without a checkpoint it was off, and booted. */
export interface StartingPoint {
  kind: 'off' | 'booted' | 'mounted';
  /** The checkpoint's key. */
  key: string | undefined;
  /** Paths of the files, by their names in the starting point. */
  files: Readonly<Record<string, string>>;
}

const FileSchema = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string() });

export const ExecutionRecordSchema = z.object({
  schemaVersion: z.literal(1),
  qemu: FileSchema.extend({ program: z.string(), version: z.string() }),
  /** QEMU's command line when it recorded. */
  argv: z.array(z.string()).min(1),
  start: z.object({
    kind: z.enum(['off', 'booted', 'mounted']),
    /** Relative to the run's directory. */
    directory: z.string().regex(/^starting-points\/[0-9a-z-]+$/),
    /** By their names in that directory; `path` is the one in `argv`. */
    files: z.record(
      z.string().regex(/^(kernel|initramfs|memory|state|device-\d+)$/),
      FileSchema.extend({ path: z.string() }),
    ),
  }),
  execution: FileSchema.extend({
    /** The path in `argv`. */
    path: z.string(),
    instructions: z.number().int().nonnegative(),
  }),
  /** Where its memory and its pmem devices are, TEST_DEV first (power-cut/ranges.ts). */
  machine: z
    .object({
      /** Bytes of ordinary memory below 4 GiB. */
      low: z.number().int().positive(),
      pmem: z.array(
        z.object({ start: z.number().int().nonnegative(), size: z.number().int().positive() }),
      ),
    })
    .optional(),
  /** What the guest sent. */
  channel: FileSchema,
  console: FileSchema,
  /** Seconds that the guest took from the moment it was ready. */
  seconds: z.number().nonnegative(),
  /** The vmlinux with symbols, of a kernel that daxrepro built. */
  symbols: z.string().optional(),
  verdict: z.string(),
  reason: z.string(),
  /** Signatures. */
  findings: z.array(z.string()),
});

/** The content of record.json. */
export type ExecutionRecord = z.infer<typeof ExecutionRecordSchema>;

/** A unit's execution that has ended. */
export interface RecordedExecution {
  start: StartingPoint;
  /** undefined if QEMU left no complete record. */
  end: ExecutionEnd | undefined;
  argv: readonly string[];
  qemu: string;
  machine: ExecutionRecord['machine'];
  /** The vmlinux with symbols. */
  symbols: string | undefined;
  seconds: number;
}

export interface KeptUnit {
  /** The run's directory. */
  run: string;
  /** The unit's folder in it. */
  folder: string;
  result: { verdict: string; reason: string; findings: readonly { signature: string }[] };
}

/** Removes the record of a unit that passed. */
export async function discardExecution(directory: string): Promise<void> {
  await rm(join(directory, EXECUTION), { force: true });
}

/** Keeps the record of a unit, with everything that a replay needs. */
export async function keepExecution(
  { start, end, argv, qemu, machine, symbols, seconds }: RecordedExecution,
  { run, folder, result }: KeptUnit,
): Promise<Outcome<void>> {
  const directory = join(run, folder);
  const recorded = join(directory, EXECUTION);
  const place = join(directory, RECORD);
  try {
    if (!end) {
      await discardExecution(directory);
      return failure(
        'tool-failed',
        `QEMU left no complete record of the execution (${recorded})`,
        'Read the messages of QEMU in the result, and check that the disk is not full',
      );
    }
    if (start.kind === 'off' && argv.some((word) => word.includes(inheritedPath(0)))) {
      await discardExecution(directory);
      return failure(
        'tool-failed',
        'the devices of a guest that booted are not kept',
        'Record clones: run without --no-checkpoint',
      );
    }
    const from = await keepStartingPoint(run, start);
    if (!from.ok) return from;
    const program = await describeQemu(qemu);
    await mkdir(place, { recursive: true });
    await rename(recorded, join(place, EXECUTION));
    const { instructions, channel } = end;
    const { verdict, reason, findings } = result;
    const execution = await sha256OfFile(join(place, EXECUTION));
    const about: ExecutionRecord = {
      schemaVersion: 1,
      qemu: program,
      argv: [...argv],
      start: from.value,
      execution: { ...execution, path: recorded, instructions },
      ...(machine ? { machine } : {}),
      channel,
      console: await sha256OfFile(join(directory, 'console.log')),
      seconds,
      ...(symbols === undefined ? {} : { symbols }),
      ...{ verdict, reason },
      findings: findings.map(({ signature }) => signature),
    };
    await writeRecord(place, about);
    return success(undefined);
  } catch (error) {
    return storageFailure(place, error);
  }
}

async function writeRecord(place: string, about: ExecutionRecord): Promise<void> {
  const draft = join(place, `${RECORD_FILE}.part`);
  await writeFile(draft, `${JSON.stringify(about, null, 2)}\n`);
  await rename(draft, join(place, RECORD_FILE));
}

/** By directory: units of a run that began alike share one. */
const keeping = new Map<string, Promise<Outcome<ExecutionRecord['start']>>>();

function keepStartingPoint(
  run: string,
  start: StartingPoint,
): Promise<Outcome<ExecutionRecord['start']>> {
  const directory = join(run, STARTING_POINTS, nameOf(start));
  const known = keeping.get(directory);
  if (known) return known;
  const made = copyStartingPoint(run, start).then((outcome) => {
    // Another unit may have more luck: the disk was full, for example.
    if (!outcome.ok) keeping.delete(directory);
    return outcome;
  });
  keeping.set(directory, made);
  return made;
}

function nameOf({ kind, key, files }: StartingPoint): string {
  return key ?? `${kind}-${sha256Of(JSON.stringify(files)).slice(0, 32)}`;
}

/** Links cost no space while the cache has the files, and stay when it is cleaned. */
async function copyStartingPoint(
  run: string,
  start: StartingPoint,
): Promise<Outcome<ExecutionRecord['start']>> {
  const directory = `${STARTING_POINTS}/${nameOf(start)}`;
  const files: ExecutionRecord['start']['files'] = {};
  await mkdir(join(run, directory), { recursive: true });
  for (const [name, path] of Object.entries(start.files)) {
    const copy = join(run, directory, name);
    await rm(copy, { force: true });
    const linked = await link(path, copy).then(
      () => true,
      () => false,
    );
    if (!linked) {
      const words = ['cp', '--sparse=always', '--reflink=auto', '--', path, copy] as const;
      const copied = await runTool([...words]);
      if (!copied.ok) {
        return failure(
          'storage',
          `${path} could not be copied to ${copy}: ${copied.stderr.trim()}`,
          "Free space on the disk of the run's directory, or choose another with --out",
        );
      }
    }
    files[name] = { path, ...(await sha256OfFile(copy)) };
  }
  return success({ kind: start.kind, directory, files });
}

/** By path: the program does not change while we run. */
const described = new Map<string, Promise<ExecutionRecord['qemu']>>();

/** The identity of a QEMU: only the same one replays a record exactly. */
export function describeQemu(program: string): Promise<ExecutionRecord['qemu']> {
  const known = described.get(program);
  if (known) return known;
  const made = readQemu(program);
  described.set(program, made);
  return made;
}

async function readQemu(program: string): Promise<ExecutionRecord['qemu']> {
  const [{ stdout }, file] = await Promise.all([
    runTool([program, '--version']),
    sha256OfFile(program),
  ]);
  return { program, version: stdout.split('\n')[0] ?? '', ...file };
}
