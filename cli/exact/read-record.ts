import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeQemu,
  EXECUTION,
  type ExecutionRecord,
  ExecutionRecordSchema,
  RECORD_FILE,
} from '../launch/execution-record.js';
import { failure, type Outcome, success } from '../outcome.js';
import { readUnit } from '../results/read.js';
import type { UnitResult } from '../results/run-result.js';
import { sha256OfFile } from '../sha256.js';

/** The record of a unit, checked: nothing has changed since it was written. */
export interface KeptExecution {
  unit: UnitResult;
  /** As the user named it. */
  name: string;
  /** The unit's folder. */
  directory: string;
  record: ExecutionRecord;
  /** The recorded execution. */
  execution: string;
  /** Paths of the starting point's files, by their names. */
  start: ReadonlyMap<string, string>;
  /** The program of the QEMU that recorded, or the same one in another place. */
  qemu: string;
}

/** @param qemu another place of the QEMU that recorded */
export async function openExecution(
  name: string | undefined,
  qemu?: string,
): Promise<Outcome<KeptExecution>> {
  const found = readUnit(name, {
    choose: ({ artifacts }) => artifacts['record'] !== undefined,
    what: 'units with a record',
  });
  if (!found.ok) return found;
  const { unit, directory: run } = found.value;
  const place = placeOf(unit);
  if (!place) {
    return failure(
      'usage',
      `${unit.fs} ${unit.test} of ${run} has no record`,
      'Record it with `daxrepro run … --record`; only failures keep their records',
    );
  }
  const file = join(run, place.record);
  const record = await readRecord(file);
  if (!record.ok) return record;
  const execution = join(run, place.folder, 'record', EXECUTION);
  const start = new Map(
    Object.keys(record.value.start.files).map((one) => [
      one,
      join(run, record.value.start.directory, one),
    ]),
  );
  const unchanged = await checkFiles(record.value, execution, start);
  if (!unchanged.ok) return unchanged;
  const program = await checkQemu(record.value, qemu);
  if (!program.ok) return program;
  const directory = join(run, place.folder);
  return success({
    ...{ unit, name: name ?? run, directory, record: record.value, execution, start },
    qemu: program.value,
  });
}

/** A stranger's result cannot name other places than `keepRecord` does. */
function placeOf({ artifacts }: UnitResult): { folder: string; record: string } | undefined {
  const record = artifacts['record'] ?? '';
  const [, folder] = /^(\d{3,}-[A-Za-z0-9.-]+)\/record\/record\.json$/.exec(record) ?? [];
  return folder === undefined ? undefined : { folder, record };
}

async function readRecord(file: string): Promise<Outcome<ExecutionRecord>> {
  try {
    const parsed = ExecutionRecordSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (parsed.success) return success(parsed.data);
    return damaged(file, parsed.error.issues[0]?.message ?? 'it has another form');
  } catch (error) {
    return damaged(file, (error as Error).message);
  }
}

function damaged(file: string, why: string): Outcome<never> {
  return failure(
    'unreadable',
    `The ${RECORD_FILE} of the record cannot be read: ${why}`,
    'Restore it, or record the failure again with `daxrepro run … --record`',
    { place: { file } },
  );
}

/** QEMU replays a changed record to its end without a word, so the files themselves are compared. */
async function checkFiles(
  { execution, start }: ExecutionRecord,
  file: string,
  files: ReadonlyMap<string, string>,
): Promise<Outcome<void>> {
  const wanted = [
    { what: 'The recorded execution', file, ...pick(execution) },
    ...Object.entries(start.files).map(([name, one]) => ({
      what: `The ${name} that the execution began with`,
      file: files.get(name) ?? '',
      ...pick(one),
    })),
  ];
  for (const { what, file, bytes, sha256 } of wanted) {
    const now = await sha256OfFile(file).catch(() => undefined);
    if (now?.sha256 === sha256 && now.bytes === bytes) continue;
    return failure(
      'unreadable',
      now
        ? `${what} has changed since it was recorded, so no replay of it is exact`
        : `${what} is not there any more`,
      'Restore it, or record the failure again with `daxrepro run … --record`',
      { place: { file } },
    );
  }
  return success(undefined);
}

const pick = ({ bytes, sha256 }: { bytes: number; sha256: string }) => ({ bytes, sha256 });

/** Another QEMU may count, translate or emulate differently. */
async function checkQemu(
  { qemu: recorded }: ExecutionRecord,
  given: string | undefined,
): Promise<Outcome<string>> {
  const program = given ?? recorded.program;
  const now = await describeQemu(program).catch(() => undefined);
  if (now?.sha256 === recorded.sha256 && now.version === recorded.version) return success(program);
  const found = now
    ? `${program} is ${now.version || 'another program'}`
    : `there is no ${program}`;
  return failure(
    'usage',
    `It was recorded with ${recorded.version}, and ${found}${now?.version === recorded.version ? ' in another build' : ''}. Only the same QEMU replays it exactly`,
    'Install that QEMU and name its program with --qemu, or record the failure again',
  );
}
