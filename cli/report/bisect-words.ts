import { percent } from '../bisect/result.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { formatSeconds } from '../words.js';

/** What reports of a bisection say besides its path. Not escaped. */

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
    tools.e2fsprogs && `e2fsprogs ${tools.e2fsprogs}`,
    tools.xfsprogs && `xfsprogs ${tools.xfsprogs}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** How often what has the change fails; undefined where it is not known. */
export function describeCulpritRate({ answer }: BisectionResult): string | undefined {
  const { rate, culprits } = answer;
  if (!rate || culprits.length === 0) return undefined;
  const [low, high] = rate.interval;
  return `With it ${percent(rate.rate)} of the runs failed (95 % interval ${percent(low)} to ${percent(high)}).`;
}

export function describeEffort({
  question,
  runs,
  builds,
  durationSeconds,
}: BisectionResult): string {
  const failed = builds.filter(({ ok }) => !ok).length;
  const built = builds.length - failed;
  return `${question.changes} changes, of which ${question.builds - 1} make a difference to what is built; ${built} built, ${failed} that could not be, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, ${formatSeconds(durationSeconds)}.`;
}
