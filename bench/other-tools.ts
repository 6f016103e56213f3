import { findProgram } from '../cli/system/programs.js';

/**
 * How long another tool for running a command in a kernel takes to run `true` in the packaged
 * kernel, if it is installed and works. virtme-ng shares the host's files with its guest, so they
 * must include the kernel's modules.
 */
export async function otherToolRows(
  image: string,
  timed: (argv: readonly string[]) => Promise<number>,
): Promise<{ what: string; times: number[] }[]> {
  const vng = findProgram('vng');
  if (!vng) return [];
  process.stderr.write('virtme-ng\n');
  try {
    const seconds = await timed([vng, '--run', image, '--disable-kvm', '--exec', 'true']);
    return [{ what: 'vng --exec true (virtme-ng)', times: [seconds] }];
  } catch (error) {
    process.stderr.write(`virtme-ng is installed, but cannot run ${image}: ${error}\n`);
    return [];
  }
}
