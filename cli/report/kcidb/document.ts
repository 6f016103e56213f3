import { escapeForTerminal } from '../../findings/escape.js';
import type { Inputs } from '../../inputs/schema.js';
import type { BisectionResult } from '../../results/bisect-result.js';
import type { KeptResult } from '../../results/read.js';
import { type KcidbNaming, objectId } from './names.js';
import type { KcidbDocument, KcidbIssue } from './schema.js';
import { type KcidbRun, sourceOf } from './source.js';
import { incidentsOf, testOf } from './tests.js';

/**
 * A report for KCIDB, the results database of KernelCI, by schema 5.3. It is written, and never sent.
 *
 * A test has the status of its verdict, whatever was expected. A bisection that found a change is an issue.
 */

export const DEFAULT_ORIGIN = 'daxrepro';

export interface KcidbOptions extends KcidbNaming {
  /** The kept inputs by run directory, where they are known. */
  inputs: ReadonlyMap<string, Inputs>;
}

/** Ends without a line break. */
export function formatKcidb(kept: readonly KeptResult[], options: KcidbOptions): string {
  return JSON.stringify(kcidbOf(kept, options), escapeText, 2);
}

/** An excerpt has lines, and is escaped already. */
function escapeText(key: string, value: unknown): unknown {
  return typeof value === 'string' && key !== 'log_excerpt' ? escapeForTerminal(value) : value;
}

export function kcidbOf(kept: readonly KeptResult[], options: KcidbOptions): KcidbDocument {
  const document: KcidbDocument = {
    ...{ version: { major: 5, minor: 3 }, checkouts: [], builds: [], tests: [] },
    ...{ issues: [], incidents: [] },
  };
  for (const one of kept) {
    if (one.kind === 'bisect') document.issues.push(...issuesOfBisection(one.result, options));
    else {
      const { started, units } = one.result;
      const inputs = options.inputs.get(one.directory);
      addRun(document, { directory: one.directory, started, units, inputs }, options);
    }
  }
  return document;
}

function addRun(document: KcidbDocument, run: KcidbRun, naming: KcidbNaming): void {
  for (const [index, unit] of run.units.entries()) {
    const { checkout, build } = sourceOf(unit, run, naming);
    merge(document.checkouts, checkout);
    merge(document.builds, build);
    const test = testOf(unit, { run, number: index + 1, buildId: build.id, naming });
    document.tests.push(test);
    for (const { issue, incident } of incidentsOf(unit, test, naming)) {
      merge(document.issues, issue);
      document.incidents.push(incident);
    }
  }
}

/** Adds an object, or what it knows about one that is there already. Bad news about it stays. */
function merge<One extends { id: string; valid?: boolean; status?: string }>(
  all: One[],
  one: One,
): void {
  const known = all.find(({ id }) => id === one.id);
  if (!known) all.push(one);
  else {
    const bad = one.valid === false || one.status === 'FAIL';
    Object.assign(known, bad ? { ...known, ...one } : { ...one, ...known });
  }
}

function issuesOfBisection(result: BisectionResult, naming: KcidbNaming): KcidbIssue[] {
  const { answer, question } = result;
  if (answer.ending !== 'found') return [];
  const { culprits, probability, summary } = answer;
  const changes = culprits.map(({ id, title }) => ({ id, title }));
  return [
    {
      id: objectId(naming, 'bisection', [question.fs, question.tests, changes]),
      origin: naming.origin,
      version: 1,
      comment: summary,
      misc: { fs: question.fs, tests: question.tests, changes, probability },
    },
  ];
}
