import { parseCount } from '../options.js';
import { allOf, failure, type Outcome, success } from '../outcome.js';
import { SEEDS } from '../plan/plan.js';
import { type CheckedRequest, checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { type Scope, type ScopeOptions, scopeOf } from './functions.js';
import { chooseOperators, type Operator } from './operators.js';

/** The options of `mutate` from the command line: most of those of `run`, and its own. */
export interface MutateOptions extends Omit<RunOptions, 'repeat'>, ScopeOptions {
  operators?: string;
  limit: string;
  /** Only show the mutants. */
  list?: boolean;
  resume?: boolean;
}

export interface CheckedMutation {
  /** The tests: of all requests together. They differ only in tests and power cuts. */
  requests: [CheckedRequest, ...CheckedRequest[]];
  operators: Operator[];
  scope: Scope;
  limit: number;
  seed: number;
}

/** The same sample and the same guests unless another seed is given. */
const SEED = '1';

/** Seconds for a built-in test: on the unchanged module, the slowest takes a tenth of it. */
const TIMEOUT = '60';

export function checkMutation(
  fs: string,
  tests: readonly string[],
  options: MutateOptions,
): Outcome<CheckedMutation> {
  const seed = options.seed ?? SEED;
  const asked: RunOptions = { ...options, ...timeoutOf(options), seed, repeat: '1' };
  const requests: CheckedRequest[] = [];
  for (const each of testsOf(tests, asked)) {
    const checked = checkRequest(fs, each.tests, each.options);
    if (!checked.ok) return checked;
    requests.push(checked.value);
  }
  const [first, ...others] = requests as [CheckedRequest, ...CheckedRequest[]];
  const own = allOf({
    operators: chooseOperators(options.operators),
    scope: scopeOf(first.request.fs, options),
    limit: parseCount('--limit', options.limit, 1, 100_000),
    seed: parseCount('--seed', seed, 0, SEEDS - 1),
    control: controlOf(options),
  });
  if (!own.ok) return own;
  const { operators, scope, limit } = own.value;
  return success({
    ...{ requests: [first, ...others], operators, scope, limit },
    seed: own.value.seed,
  });
}

function timeoutOf({ timeout, suite }: MutateOptions): Pick<RunOptions, 'timeout'> {
  if (timeout !== undefined) return { timeout };
  return suite === 'builtin' ? { timeout: TIMEOUT } : {};
}

/** Without DAX other code runs than the functions that are chosen. */
function controlOf({ control, pmem }: MutateOptions): Outcome<undefined> {
  if (!control && pmem !== 'none') return success(undefined);
  return failure(
    'usage',
    `${control ? '--control' : '--pmem none'} runs without DAX`,
    'Leave it out: mutants are made of code that tests reach on DAX',
  );
}

/**
 * The named tests; without any, the groups that every run has. With --power-cut the tests of power cuts are added: the
 * others are quicker without.
 */
function testsOf(
  tests: readonly string[],
  options: RunOptions,
): { tests: readonly string[]; options: RunOptions }[] {
  if (tests.length > 0 || (options.group ?? []).length > 0) return [{ tests, options }];
  if (options.suite !== 'builtin') return [{ tests, options: { ...options, group: ['dax'] } }];
  const { powerCut, cuts: _, cutStates: __, ...without } = options;
  const usual = { tests, options: { ...without, group: ['auto'] } };
  if (!powerCut) return [{ tests, options: { ...options, group: ['auto'] } }];
  return [usual, { tests, options: { ...options, group: ['power-cut'] } }];
}
