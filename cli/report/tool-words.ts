import type { RunResult } from '../results/run-result.js';

/** The versions of the guest's programs: `e2fsprogs 1.47.0`, `programs of debian:sid`. */
export function toolWords(tools: RunResult['tools'] = {}): string[] {
  const { e2fsprogs, xfsprogs, userland } = tools;
  return [
    ...(e2fsprogs ? [`e2fsprogs ${e2fsprogs}`] : []),
    ...(xfsprogs ? [`xfsprogs ${xfsprogs}`] : []),
    ...(userland ? [`programs of ${userland}`] : []),
  ];
}
