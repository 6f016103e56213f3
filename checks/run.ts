import { availableParallelism } from 'node:os';
import { CHECKS } from './checks.js';
import { whatIsMissing } from './missing.js';
import { findSources, root } from './sources.js';

/**
 * `npm run check`: runs every check of the sources, some in parallel. Prints the whole output of
 * those that fail.
 */

const sources = await findSources(root);
const waiting = [...CHECKS];

async function work() {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const begun = performance.now();
    const problem = whatIsMissing(check.program) ?? (await check.run(sources));
    const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5);
    console.log(`${problem === undefined ? 'ok    ' : 'FAILED'} ${seconds} s  ${check.name}`);
    if (problem === undefined) continue;
    process.exitCode = 1;
    console.log(`${problem.trimEnd()}\n`);
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work));
