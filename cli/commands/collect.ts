import { resolve } from 'node:path';
import { type Collected, collect } from '../chunks/collect.js';
import { exitCodeOfComparison } from '../compare/expectations.js';
import { success } from '../outcome.js';
import { formatMail } from '../report/compare-mail.js';
import { formatComparison } from '../report/compare-text.js';
import { formatMachines } from '../report/machines.js';
import { formatSummary } from '../report/summary.js';
import type { CompareResult } from '../results/compare-result.js';
import { exitCodeOfUnits } from '../results/run-result.js';
import { learnDurations } from '../run/durations.js';
import { defaultStore } from '../store/store.js';
import { inSession, keepResult, print, terminalWidth, wantsColour } from './session.js';

export interface CollectOptions {
  json?: boolean;
  mail?: boolean;
}

/** `daxrepro collect DIR`: its exit code is that of `run` or `compare`. */
export async function collectCommand(name: string, options: CollectOptions): Promise<number> {
  return inSession(async (session) => {
    const collected = collect(resolve(name));
    if (!collected.ok) return collected;
    await learnDurations(defaultStore(), collected.value.result.units);
    session.reporter.end();
    const code = keepResult(collected.value.result, exitCodeOfCollected(collected.value), session);
    print(options.json ? collected.value.result : textOf(collected.value, options));
    return success(code);
  });
}

function isComparison(result: Collected['result']): result is CompareResult {
  return 'case' in result;
}

export function exitCodeOfCollected({ result }: Collected): number {
  return isComparison(result) ? exitCodeOfComparison(result.units) : exitCodeOfUnits(result.units);
}

function textOf({ result }: Collected, { mail }: CollectOptions): string {
  if (isComparison(result) && mail) return formatMail(result, { from: process.cwd() });
  const text = isComparison(result)
    ? formatComparison(result, { width: terminalWidth(), colour: wantsColour() })
    : formatSummary(result, { colour: wantsColour() });
  return [text, ...formatMachines(result.units)].join('\n');
}
