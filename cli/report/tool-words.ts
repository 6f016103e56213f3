import type { RunResult } from '../results/run-result.js';

/** The versions of the guest's programs: `e2fsprogs 1.47.0`, `xfsprogs 7.2.0 of debian:sid=7.2.0-1`, `programs of debian:sid`. */
export function toolWords(tools: RunResult['tools'] = {}): string[] {
  const { e2fsprogs, xfsprogs, userland, e2fsprogsFrom, xfsprogsFrom } = tools;
  const of = (from: string | undefined) => (from ? ` of ${from}` : '');
  return [
    ...(e2fsprogs ? [`e2fsprogs ${e2fsprogs}${of(e2fsprogsFrom)}`] : []),
    ...(xfsprogs ? [`xfsprogs ${xfsprogs}${of(xfsprogsFrom)}`] : []),
    ...(userland ? [`programs of ${userland}`] : []),
  ];
}
