import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parseDistribution } from '../../cli/system/distribution.js';
import type { Host } from '../../cli/system/install.js';
import type { Requirement } from '../../cli/system/requirements.js';

const PACKAGES = { debian: 'deb', fedora: 'rpm', arch: undefined, suse: 'suse' };

/** Two programs: `boots` of the package `deb` and `builds` of `deb-build`. */
export const TWO: readonly Requirement[] = [
  { part: 'run', programs: ['boots'], purpose: 'boots things', packages: PACKAGES },
  {
    part: 'build',
    programs: ['builds'],
    purpose: 'builds things',
    packages: { ...PACKAGES, debian: 'deb-build' },
  },
];

export const DEBIAN = parseDistribution('ID=debian\nPRETTY_NAME="Debian 12"\n');
export const FEDORA = parseDistribution('ID=fedora\nPRETTY_NAME="Fedora 43"\n');
export const ARCH = parseDistribution('ID=arch\nPRETTY_NAME="Arch Linux"\n');

/** Shell commands that create both programs next to the apt-get that runs them. */
export const BRING_BOTH = [
  'here=$(dirname "$0")',
  'for program in boots builds; do echo >"$here/$program"; chmod +x "$here/$program"; done',
].join('\n');

/**
 * A machine whose programs are in the test's own folder, before the real PATH. Its apt-get records
 * its calls.
 *
 * @param aptGet what `apt-get install` does, as shell commands; by default it creates both programs
 */
export function fakeHost(t: Test, more: Partial<Host> & { aptGet?: string; sudo?: string } = {}) {
  const { aptGet, sudo, ...host } = more;
  const top = t.testdir({ bin: {}, lists: {} });
  const bin = join(top, 'bin');
  const log = join(top, 'log');
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  program(
    'apt-get',
    `echo "$DEBIAN_FRONTEND $*" >>"${log}"
case "$*" in *' install '*) ;; *) exit ;; esac
${aptGet ?? BRING_BOTH}`,
  );
  if (sudo !== undefined) program('sudo', `echo "sudo $*" >>"${log}"\n${sudo}`);
  mkdirSync(join(top, 'lists'), { recursive: true });
  writeFileSync(join(top, 'lists/a_Packages.lz4'), '');
  return {
    bin,
    program,
    lists: join(top, 'lists'),
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trimEnd()
            .split('\n')
            .map((call) => call.replace(/ -q -o DPkg::Lock::Timeout=\d+/, ''))
        : [],
    host: {
      path: `${bin}:/usr/bin:/bin`,
      root: true,
      terminal: false,
      distribution: DEBIAN,
      requirements: TWO,
      aptLists: join(top, 'lists'),
      lockWait: 5000,
      lockPause: 10,
      ...host,
    } satisfies Host,
  };
}
