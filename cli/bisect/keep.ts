import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InputContext, keepInputs } from '../inputs/keep.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { type ReadyInputs, withVersions } from '../run/suite.js';
import { type BuiltTree, commitOf, inputsOfTree } from './inputs.js';
import type { BisectionState } from './state.js';
import type { Subject } from './subject.js';
import { variantNameOf } from './work.js';

type Keeping = Omit<InputContext, 'together' | 'scratch'> & { signal: AbortSignal };

/** Keeps the inputs of a step of `git bisect run`: the tree as it was run. */
export async function keepStepInputs(
  request: RunRequest,
  { source, base, rev }: Pick<BuiltTree, 'source' | 'base'> & { rev: string | undefined },
  { signal, tree = '', ...context }: Keeping,
): Promise<Outcome<undefined>> {
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    const built = { source, base, tree, commit: await commitOf(source, rev) };
    const inputs = await inputsOfTree(built, request.fs, scratch, signal);
    if (!inputs.ok) return inputs;
    const { kernel, changes } = inputs.value;
    const own = { ...request, kernel, variant: { ...request.variant, changes } };
    const kept = await keepInputs([own], { ...context, together: false, tree, scratch });
    return kept.ok ? success(undefined) : kept;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Keeps the inputs of a bisection in its `inputs/`: a request for each build that was run. */
export async function keepBisectionInputs(
  subject: Subject,
  { runs }: BisectionState,
  { ready, signal, ...context }: Omit<Keeping, 'tree'> & { ready: ReadyInputs },
): Promise<Outcome<undefined>> {
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    const ran = new Set(runs.map(({ content }) => content));
    const requests: RunRequest[] = [];
    for (const { content, change } of subject.plan.builds) {
      if (!ran.has(content)) continue;
      if (signal.aborted) break;
      const inputs = await subject.inputs(change, scratch);
      if (!inputs.ok) return inputs;
      const { kernel, ...variant } = inputs.value;
      requests.push({
        ...withVersions(subject.request, ready),
        kernel,
        variant: { name: variantNameOf(subject, change), ...variant },
      });
    }
    // The bisection was interrupted before its first run.
    if (requests.length === 0) return success(undefined);
    const tree = subject.names.tree;
    const kept = await keepInputs(requests, { ...context, together: false, tree, scratch });
    return kept.ok ? success(undefined) : kept;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
