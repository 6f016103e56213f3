import { describeMissing, installCommand, readDistribution } from '../cli/system/distribution.js';
import { missingRequirements, systemPath } from '../cli/system/programs.js';

/**
 * How to install a program that a check needs; undefined if it is installed. A check that cannot
 * run counts as failed: silence would look like success.
 */
export function whatIsMissing(
  program: string | undefined,
  path: string = systemPath(),
  distribution = readDistribution(),
): string | undefined {
  const missing = missingRequirements(['build', 'run', 'test'], path).filter(({ names }) =>
    names.some((name) => name === program),
  );
  if (missing.length === 0) return undefined;
  const command = installCommand(missing, distribution);
  return [
    `${program} was not found. The package that has it:`,
    ...describeMissing(missing, distribution.family).map((line) => `  ${line}`),
    `Run \`DAXREPRO_TOOLS=all ./daxrepro setup\`${command ? `, or \`${command}\`` : ''}.`,
  ].join('\n');
}
