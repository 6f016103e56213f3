import { type RunResult, type UnitResult, worstVerdict } from '../results/run-result.js';
import { version } from '../version.js';
import { countRepeats } from './repeats.js';

/** The result of a finished run. */
export function runResult(
  command: string[],
  started: Date,
  units: UnitResult[],
  host: RunResult['host'],
  directory: string,
): RunResult {
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command,
    verdict: worstVerdict(units),
    units,
    repeats: countRepeats(units),
    host,
    started: started.toISOString(),
    durationSeconds: Math.round((Date.now() - started.getTime()) / 10) / 100,
    directory,
  };
}
