import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { namesIn } from '../names-in.js';
import { failure, type Outcome, success } from '../outcome.js';
import { type KeptResult, readResult } from '../results/read.js';
import { type RunResult, type UnitResult, worstVerdict } from '../results/run-result.js';
import { plural } from '../words.js';

/**
 * Reads all runs of a directory. Every subdirectory is either a whole run or named with the reason why it
 * does not count: a run that was killed must not look like a short one that ended well.
 */

export interface KeptHistory {
  directory: string;
  /** Oldest first. */
  runs: PastRun[];
  leftOut: LeftOut[];
}

/** A run with what the history needs of its units: results of a thousand runs have to fit into memory. */
export interface PastRun {
  name: string;
  directory: string;
  started: Date;
  command: readonly string[];
  units: readonly UnitResult[];
}

/** A subdirectory that is not counted. */
export interface LeftOut {
  name: string;
  reason: string;
}

/** @param last the number of runs to take, newest first; undefined: all */
export function readHistory(directory: string, last?: number): Outcome<KeptHistory> {
  const names = subdirectories(directory);
  if (!names.ok) return names;
  const runs: PastRun[] = [];
  const leftOut: LeftOut[] = [];
  const seen = new Map<string, string>();
  for (const name of names.value) {
    const read = readRun(join(directory, name));
    const first = typeof read === 'string' ? undefined : seen.get(read.identity);
    if (typeof read === 'string') leftOut.push({ name, reason: read });
    else if (first !== undefined) leftOut.push({ name, reason: `it is a copy of ${first}` });
    else {
      seen.set(read.identity, name);
      runs.push(read.run);
    }
  }
  if (runs.length === 0) return noRuns(directory, leftOut);
  runs.sort((a, b) => a.started.getTime() - b.started.getTime());
  return success({ directory, runs: last === undefined ? runs : runs.slice(-last), leftOut });
}

function subdirectories(directory: string): Outcome<string[]> {
  try {
    const names = readdirSync(directory).sort();
    return success(names.filter((name) => isDirectory(join(directory, name))));
  } catch (error) {
    return failure(
      'usage',
      `The directory cannot be read: ${(error as Error).message}`,
      'Name a directory that holds directories of runs, such as the --out of several runs',
      { place: { file: directory } },
    );
  }
}

function noRuns(directory: string, leftOut: readonly LeftOut[]): Outcome<never> {
  const [first] = leftOut;
  const others = leftOut.length > 1 ? ` (and ${leftOut.length - 1} others)` : '';
  return failure(
    'usage',
    first
      ? `${directory} has no whole run. ${first.name}${others}: ${first.reason}`
      : `${directory} has no runs`,
    'Name the directory that holds the directories of runs',
  );
}

/** @returns a string: why it does not count */
function readRun(directory: string): { run: PastRun; identity: string } | string {
  const kept = readResult(directory);
  if (!kept.ok) return whyUnread(directory, kept.failure.message);
  const problem = whyNotCounted(kept.value);
  if (problem !== undefined) return problem;
  const { result } = kept.value as Exclude<KeptResult, { kind: 'bisect' }>;
  const { started, command, directory: original } = result;
  const run = {
    name: basename(directory),
    directory,
    started: new Date(started),
    command,
    units: (result.units as readonly UnitResult[]).map(essence),
  };
  // A run knows where it was made, so a copy of it has the same words.
  const identity = JSON.stringify([started, command, original || directory]);
  return { run, identity };
}

/** Without result.json: a run that did not end, or something else. */
function whyUnread(directory: string, message: string): string {
  const names = namesIn(directory);
  if (names.includes('result.json')) return message;
  if (names.includes('mutation.json')) return 'it is a run of mutants';
  const units = names.filter((name) => /^\d{3,}-/.test(name));
  if (units.length === 0 && !names.includes('inputs')) {
    return 'it is not a run of daxrepro: it has no result.json';
  }
  const ended = units.filter((name) => namesIn(join(directory, name)).includes('unit.json'));
  return `it has no result.json: the run is still going, or was killed. ${plural(ended.length, 'unit')} of it ended`;
}

function whyNotCounted({ kind, result }: KeptResult): string | undefined {
  if (kind === 'bisect') return 'it is a bisection, whose runs are of different changes';
  if ('shell' in result) return 'it is a session of the shell';
  if (Number.isNaN(new Date(result.started).getTime())) {
    return 'result.json does not say when it started';
  }
  if (result.units.length === 0) return 'it was interrupted before its first unit ended';
  return whyInconsistent(result);
}

function whyInconsistent({ verdict, units }: RunResult): string | undefined {
  const worst = worstVerdict(units);
  return worst === verdict
    ? undefined
    : `result.json was changed or damaged: its verdict is ${verdict}, but its units come to ${worst}`;
}

/** Characters of a message that are kept. */
const LONGEST = 300;

/** The unit without its evidence, and with one finding of each signature. */
function essence(unit: UnitResult): UnitResult {
  const bySignature = new Map(unit.findings.map((one) => [one.signature, one]));
  const findings = [...bySignature.values()].map(({ tool, message, signature, severity }) => ({
    ...{ tool, signature, severity },
    message: message.slice(0, LONGEST),
  }));
  const { inodes: _, unwritten: _1, explanation: _2, images: _3, ...rest } = unit;
  return {
    ...rest,
    reason: unit.reason.slice(0, LONGEST),
    findings: findings as UnitResult['findings'],
    bootFindings: [],
    dax: { ...unit.dax, looks: [] },
    artifacts: {},
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
