import { failure, type Outcome, success } from '../outcome.js';
import type { Case } from '../results/case.js';

/** The kernels of a case: one, or several as columns. Each is named by its word, as the user wrote it. */
export function kernelsOfCase(kernels: readonly string[]): Pick<Case, 'kernel' | 'kernels'> {
  const [kernel = ''] = kernels;
  return kernels.length > 1 ? { kernel, kernels } : { kernel };
}

/** The word names the column, so that each must be there once. */
export function checkKernels(kernels: readonly string[]): Outcome<readonly string[]> {
  const twice = kernels.find((word, at) => kernels.indexOf(word) < at);
  if (twice === undefined) return success(kernels);
  return failure('usage', `--kernel ${twice} is given twice`, 'Leave out one of them');
}
