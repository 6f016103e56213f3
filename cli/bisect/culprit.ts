import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitIn, type Repository } from '../kernel/git-source.js';
import type { KernelContext } from '../kernel/kernel.js';
import type { Culprit } from '../results/bisect-result.js';
import { git } from '../variant/git.js';
import { readSteps } from '../variant/patched-source.js';
import type { Variant } from '../variant/variant.js';

/** Facts about a change, for the report. They are left out if git fails: the answer does not need them. */
export type ChangeFacts = Pick<Culprit, 'author' | 'date' | 'diffstat'>;

export async function commitFacts(repository: Repository, id: string): Promise<ChangeFacts> {
  const shown = await gitIn(repository, ['log', '-1', '--format=%an <%ae>%x00%as', id, '--']);
  const [author, date] = shown.ok ? shown.stdout.split('\0') : [];
  const stat = await gitIn(repository, [
    ...['diff-tree', '--stat=72', '--no-color', '--root', '--diff-merges=first-parent'],
    ...['--no-commit-id', id],
  ]);
  return {
    author: author ?? null,
    date: date ?? null,
    diffstat: stat.ok && stat.stdout !== '' ? stat.stdout : null,
  };
}

export async function patchFacts(variant: Variant, context: KernelContext): Promise<ChangeFacts> {
  const steps = await readSteps(variant, context);
  const step = steps.ok ? steps.value.at(-1) : undefined;
  const nothing: ChangeFacts = { author: null, date: null, diffstat: null };
  if (step?.type !== 'patch') return nothing;
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    await writeFile(join(scratch, 'patch'), step.text);
    const stat = await git(['apply', '--stat', '-p1', 'patch'], scratch, context.signal);
    const diffstat = stat.ok && stat.stdout !== '' ? stat.stdout : null;
    return { ...nothing, author: step.author ?? null, diffstat };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
