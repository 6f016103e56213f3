import { join } from 'node:path';
import {
  discardExecution,
  keepExecution,
  RECORD,
  RECORD_FILE,
  type RecordedExecution,
} from '../launch/execution-record.js';
import type { Progress } from '../progress.js';
import { writeJson } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';

/** Whether the record of a unit with this verdict is worth keeping. */
const WORTH_KEEPING: ReadonlySet<UnitResult['verdict']> = new Set(['fail', 'error']);

/** Keeps the record of a unit that failed, discards that of any other, and notes it in the result. */
export async function keepRecord(
  result: UnitResult,
  execution: RecordedExecution | undefined,
  where: { directory: string; folder: string; progress: Progress },
): Promise<UnitResult> {
  const unit = join(where.directory, where.folder);
  if (!execution || !WORTH_KEEPING.has(result.verdict)) {
    await discardExecution(unit);
    return result;
  }
  const kept = await keepExecution(execution, {
    run: where.directory,
    folder: where.folder,
    result,
  });
  if (!kept.ok) {
    where.progress({
      type: 'note',
      text: `The record of ${result.fs} ${result.test} was not kept: ${kept.failure.message}`,
    });
    return result;
  }
  const record = `${where.folder}/${RECORD}/${RECORD_FILE}`;
  const noted = { ...result, artifacts: { ...result.artifacts, record } };
  writeJson(join(unit, 'unit.json'), noted);
  return noted;
}
