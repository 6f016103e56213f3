import type { Collected } from '../chunks/collect.js';
import { exitCodeOfComparison } from '../compare/expectations.js';
import { formatMail } from '../report/compare-mail.js';
import { formatComparison } from '../report/compare-text.js';
import { formatMachines } from '../report/machines.js';
import { formatSummary } from '../report/summary.js';
import type { CompareResult } from '../results/compare-result.js';
import { exitCodeOfUnits } from '../results/run-result.js';
import { learnDurations } from '../run/durations.js';
import { defaultStore } from '../store/store.js';
import { keepResult, print, type Session, terminalWidth, wantsColour } from './session.js';

export interface CollectedOutput {
  json?: boolean;
  mail?: boolean;
}

/** Keeps and prints the run. @returns the exit code */
export async function printCollected(
  { result }: Collected,
  options: CollectedOutput,
  session: Session,
): Promise<number> {
  await learnDurations(defaultStore(), result.units);
  const code = isComparison(result)
    ? exitCodeOfComparison(result.units)
    : exitCodeOfUnits(result.units);
  const own = keepResult(result, code, session);
  print(options.json ? result : textOf(result, options));
  return own;
}

function isComparison(result: Collected['result']): result is CompareResult {
  return 'case' in result;
}

function textOf(result: Collected['result'], { mail }: CollectedOutput): string {
  if (isComparison(result) && mail) return formatMail(result, { from: process.cwd() });
  const text = isComparison(result)
    ? formatComparison(result, { width: terminalWidth(), colour: wantsColour() })
    : formatSummary(result, { colour: wantsColour() });
  return [text, ...formatMachines(result.units)].join('\n');
}
