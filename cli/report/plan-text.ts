import { PROGRAM } from '../chunks/copy-inputs.js';
import type { Plan } from '../chunks/schema.js';
import { escapeForTerminal } from '../findings/escape.js';
import { shellQuote } from '../shell-quote.js';
import { formatSeconds, plural } from '../words.js';

/** A plan, as text and as JSON. */

export function formatPlan(directory: string, plan: Plan): string {
  const { chunks } = plan;
  const place = escapeForTerminal(shellQuote(directory));
  const program = escapeForTerminal(shellQuote(`${directory}/${PROGRAM}`));
  const longest = Math.max(0, ...chunks.map(({ seconds }) => seconds));
  const all = chunks.reduce((sum, { seconds }) => sum + seconds, 0);
  const planned = chunks.reduce((sum, { units }) => sum + units, 0);
  const again = planned < plan.units ? `, of ${plan.units} in the run` : '';
  return [
    `${plural(planned, 'unit')} in ${plural(chunks.length, 'chunk')}${again}: about ${formatSeconds(all)}, the longest chunk ${formatSeconds(longest)}`,
    '',
    `run      node ${program} chunk ${place} N    for N from 1 to ${chunks.length}, anywhere`,
    `collect  daxrepro collect ${place}`,
  ].join('\n');
}

export function planDocument(directory: string, plan: Plan): object {
  const { id, kind, units, tool, chunks } = plan;
  return {
    ...{ schemaVersion: 1, tool, plan: id, kind, directory, units },
    chunks: chunks.map(({ units: own, seconds, limit }, at) => ({
      ...{ chunk: at + 1, units: own, seconds, limitSeconds: limit },
    })),
  };
}
