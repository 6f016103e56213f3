import { percent } from '../bisect/result.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { formatSeconds, plural } from '../words.js';
import { toolWords } from './tool-words.js';

/** Sentences about a bisection. Not escaped. */

export function describeRange({ question }: BisectionResult): string {
  const { series, kernel, good, bad, changes } = question;
  const range =
    series === undefined ? `${good?.slice(0, 12)}..${bad?.slice(0, 12)}` : `a series on ${kernel}`;
  return `${range}, ${changes} changes`;
}

export function describeVersions({ tool, host, tools = {} }: BisectionResult): string {
  return [
    `daxrepro ${tool.version}`,
    host.qemu.replace(/^QEMU emulator version /, 'QEMU '),
    ...toolWords(tools),
  ]
    .filter(Boolean)
    .join(', ');
}

/** The failure rate with the bad change; undefined if unknown. */
export function describeCulpritRate({ answer }: BisectionResult): string | undefined {
  const { rate, culprits } = answer;
  if (!rate || culprits.length === 0) return undefined;
  const [low, high] = rate.interval;
  return `With this change ${percent(rate.rate)} of the runs failed (95 % interval ${percent(low)} to ${percent(high)}).`;
}

export function describeEffort({
  question,
  runs,
  builds,
  durationSeconds,
}: BisectionResult): string {
  const failed = builds.filter(({ ok }) => !ok).length;
  const built = builds.length - failed;
  return `${question.changes} changes, ${question.builds - 1} of which affect the build; ${plural(built, 'build')}, ${plural(failed, 'failed build')}, ${plural(runs.length, 'run')}, ${formatSeconds(durationSeconds)}.`;
}
