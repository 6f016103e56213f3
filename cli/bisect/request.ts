import { parseCount } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Limits } from '../results/bisect-result.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { type CheckedRequest, checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import type { Range } from './git-history.js';

/** The options of `bisect` from the command line: most of those of `run`, and its own. */
export interface BisectOptions
  extends Omit<RunOptions, 'kernel' | 'repeat' | 'group' | 'patch' | 'steps'> {
  kernel?: string;
  tree?: string;
  good?: string;
  bad?: string;
  firstParent?: boolean;
  series?: string;
  signature?: string;
  confidence: string;
  leastRate: string;
  maxRuns: string;
  resume?: boolean;
  mail?: boolean;
}

export type Bisected =
  | { type: 'tree'; tree: string; range: Range; kernel: string | undefined }
  | { type: 'series'; file: string };

export interface CheckedBisection {
  of: Bisected;
  limits: Limits;
  checked: CheckedRequest;
}

export function checkBisection(
  fs: string,
  tests: readonly string[],
  options: BisectOptions,
): Outcome<CheckedBisection> {
  if (options.json && options.mail) {
    return failure('usage', '--json and --mail both write to stdout', 'Leave out one of them');
  }
  const of = bisectedBy(options);
  if (!of.ok) return of;
  const limits = limitsOf(options);
  if (!limits.ok) return limits;
  const kernel =
    options.kernel ?? (of.value.type === 'tree' ? `src:${of.value.tree}` : RUN_DEFAULTS.kernel);
  const checked = checkRequest(fs, tests, { ...options, kernel, repeat: '1' });
  return checked.ok
    ? success({ of: of.value, limits: limits.value, checked: checked.value })
    : checked;
}

function bisectedBy({
  tree,
  good,
  bad,
  series,
  kernel,
  firstParent = false,
}: BisectOptions): Outcome<Bisected> {
  const given = [
    ['--tree', tree],
    ['--good', good],
    ['--bad', bad],
  ] as const;
  if (series !== undefined) {
    const other = given.find(([, value]) => value !== undefined);
    if (other === undefined) return success({ type: 'series', file: series });
    return failure(
      'usage',
      `${other[0]} does not go with --series: a series applies to --kernel, and has no commits`,
      'Leave out one of them',
    );
  }
  const missing = given.find(([, value]) => value === undefined);
  if (missing || tree === undefined || good === undefined || bad === undefined) {
    return failure(
      'usage',
      `${missing?.[0] ?? '--tree'} is missing: without it there is nothing to bisect`,
      'Give --tree DIR --good REV --bad REV, or --series FILE.mbox --kernel SPEC. To let git choose the commits: `git bisect run daxrepro bisect run …`',
    );
  }
  return success({ type: 'tree', tree, kernel, range: { good, bad, firstParent } });
}

function limitsOf(options: BisectOptions): Outcome<Limits> {
  const confidence = parseShare('--confidence', options.confidence, 0.5, 0.999_999);
  if (!confidence.ok) return confidence;
  const leastRate = parseShare('--least-rate', options.leastRate, 0.0001, 1);
  if (!leastRate.ok) return leastRate;
  const maxRuns = parseCount('--max-runs', options.maxRuns, 1, 1_000_000);
  if (!maxRuns.ok) return maxRuns;
  return success({
    confidence: confidence.value,
    leastRate: leastRate.value,
    maxRuns: maxRuns.value,
  });
}

function parseShare(name: string, text: string, least: number, most: number): Outcome<number> {
  const value = /^\d*\.?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most
    ? success(value)
    : failure(
        'usage',
        `${name} ${JSON.stringify(text)} is not a number from ${least} to ${most}`,
        `Give a probability, such as ${name} ${name === '--confidence' ? '0.99' : '0.05'}`,
      );
}
