import { findProgram } from '../cli/system/programs.js';

/**
 * How long another tool for running a command in a kernel takes to run `true` in the packaged one,
 * where it is installed and able to. virtme-ng shares the host's files with its guest, so it needs the
 * kernel's modules among them.
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
    process.stderr.write(`virtme-ng is here, but cannot run ${image}: ${error}\n`);
    return [];
  }
}
