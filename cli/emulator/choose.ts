import { resolve } from 'node:path';
import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { findProgram } from '../system/programs.js';
import { fetchSuiteQemu } from './package.js';

/** Which QEMU `--qemu` means. */

const FORMS = 'Give the path of a qemu-system-x86_64, or debian:SUITE, such as debian:sid';

/** Checks the form. Starts and fetches nothing. */
export function checkQemuOption(text: string | undefined): Outcome<string | undefined> {
  if (text === undefined) return success(undefined);
  if (/^debian:[a-z][a-z0-9-]*$/.test(text)) return success(text);
  if (text.startsWith('debian:') || text === '') {
    return failure('usage', `--qemu ${JSON.stringify(text)} is not a QEMU`, FORMS);
  }
  return success(text.includes('/') ? resolve(text) : text);
}

/**
 * The program. One of a Debian suite is downloaded on first use and unpacked into the cache.
 *
 * @param text as `checkQemuOption` returned it
 * @returns undefined for the QEMU of this machine
 */
export async function chooseQemu(
  text: string | undefined,
  context: KernelContext,
): Promise<Outcome<string | undefined>> {
  if (text === undefined) return success(undefined);
  if (text.startsWith('debian:')) return fetchSuiteQemu(text.slice('debian:'.length), context);
  const program = text.includes('/') ? text : findProgram(text);
  const asked = program === undefined ? undefined : await runTool([program, '--version']);
  if (program !== undefined && asked?.ok && /^QEMU emulator/.test(asked.stdout)) {
    return success(program);
  }
  const why = asked === undefined ? 'is not in PATH' : 'does not start, or is not QEMU';
  const detail = asked?.all.trim();
  return failure('usage', `--qemu ${text} ${why}`, FORMS, detail ? { detail } : {});
}
