import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { Store } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { findVersion } from '../system/versions.js';
import { fetchSuiteQemu, peekSuiteQemu } from './package.js';

/**
 * Finds a QEMU for `--pmem cxl`: 10.0 or newer. 7.2 takes every option of it (but the memory's name), and
 * the data does not read back. 11.1 is 10 to 50 times faster on CXL memory than 10.0.
 */
export interface CxlQemu {
  program: string;
  /** `11.1.3` */
  version: string;
}

/** The oldest version that was tested. */
const OLDEST = 10;

/** The version from which CXL memory is fast. */
const FAST = 11;

/** The suite whose QEMU `setup --cxl` fetches. */
export const CXL_SUITE = 'sid';

/** Suites of which an earlier `--qemu debian:SUITE` may have left a QEMU, the newest first. */
const SUITES = [CXL_SUITE, 'forky', 'trixie-backports', 'trixie', 'bookworm-backports'];

/** Never downloads. If there is none, the failure names the command that fetches it. */
export async function cxlQemu(store: Store, path?: string): Promise<Outcome<CxlQemu>> {
  const own = findProgram('qemu-system-x86_64', path);
  const system = own === undefined ? undefined : await describe(own);
  if (system && majorOf(system) >= FAST) return success(system);
  for (const suite of SUITES) {
    const program = await peekSuiteQemu(suite, store);
    const found = program === undefined ? undefined : await describe(program);
    if (found && majorOf(found) >= OLDEST) return success(found);
  }
  if (system && majorOf(system) >= OLDEST) return success(system);
  const instead = system === undefined ? 'there is none' : `${own} is ${system.version}`;
  return failure('usage', `${NEEDED}; ${instead}`, HOW);
}

/** Checks a QEMU that the user chose. */
export async function checkCxlQemu(program: string): Promise<Outcome<CxlQemu>> {
  const found = await describe(program);
  if (found && majorOf(found) >= OLDEST) return success(found);
  return failure(
    'usage',
    `${NEEDED}; ${program} is ${found?.version ?? 'one that does not start'}`,
    'Choose another one with --qemu, or leave --qemu out',
  );
}

const NEEDED = `--pmem cxl needs QEMU ${OLDEST}.0 or newer: older ones lose what is written to CXL memory`;
const HOW = '`daxrepro setup --cxl` downloads one of Debian, without root and beside your own';

/**
 * The emulator of these requests if one of them has CXL devices; else the one that was chosen.
 *
 * @param chosen the program of `--qemu`; undefined: the one in PATH
 */
export async function withCxl(
  requests: readonly { pmem: string }[],
  chosen: string | undefined,
  store: Store,
): Promise<Outcome<string | undefined>> {
  if (!requests.some(({ pmem }) => pmem === 'cxl')) return success(chosen);
  if (findProgram('cxl') === undefined) {
    return failure(
      'usage',
      '--pmem cxl needs the program cxl, which creates regions in the guest',
      '`daxrepro setup --cxl` installs it',
    );
  }
  return programForCxl(chosen, store);
}

/** The same for units whose guests are packed already. */
export async function programForCxl(
  chosen: string | undefined,
  store: Store,
): Promise<Outcome<string>> {
  const qemu = chosen === undefined ? await cxlQemu(store) : await checkCxlQemu(chosen);
  return qemu.ok ? success(qemu.value.program) : qemu;
}

/** For `setup --cxl`: the QEMU that is there, or else Debian's newest. */
export async function fetchCxlQemu(
  context: KernelContext,
  path?: string,
): Promise<Outcome<CxlQemu>> {
  const there = await cxlQemu(context.store, path);
  if (there.ok && majorOf(there.value) >= FAST) return there;
  const fetched = await fetchSuiteQemu(CXL_SUITE, context);
  if (!fetched.ok) return there.ok ? there : fetched;
  return checkCxlQemu(fetched.value);
}

async function describe(program: string): Promise<CxlQemu | undefined> {
  const asked = await runTool([program, '--version'], { timeout: 30_000 });
  const version = asked.ok ? findVersion(asked.stdout) : undefined;
  return version === undefined ? undefined : { program, version };
}

function majorOf({ version }: CxlQemu): number {
  return Number(version.split('.')[0]);
}
