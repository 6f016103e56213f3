import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../process/child.js';

/** `git describe`. Undefined if it is not the top of a git tree, or git refuses to read it. */
export async function describeTree(tree: string): Promise<string | undefined> {
  if (!existsSync(join(tree, '.git'))) return undefined;
  const described = await runTool(['git', '-C', tree, 'describe', '--always', '--dirty'], {
    timeout: 20_000,
  });
  const name = described.stdout.trim();
  return described.ok && /^[\w.+/-]{1,100}$/.test(name) ? name : undefined;
}
