import { readFileSync } from 'node:fs';
import type { Missing } from './programs.js';
import type { Family } from './requirements.js';

/** Identifies the distribution, and tells how to install its packages by hand. */

export interface Distribution {
  /** `Debian GNU/Linux 12 (bookworm)` */
  name: string;
  family: Family | undefined;
}

/** Reads os-release(5). */
export function readDistribution(file = '/etc/os-release'): Distribution {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {}
  return parseDistribution(text);
}

export function parseDistribution(text: string): Distribution {
  const value = (key: string) =>
    text.match(new RegExp(`^${key}=(.*)$`, 'm'))?.[1]?.replace(/^(["'])(.*)\1$/, '$2') ?? '';
  const ids = [value('ID'), ...value('ID_LIKE').split(' ')];
  const is = (...names: string[]) => ids.some((id) => names.includes(id));
  return {
    name: value('PRETTY_NAME') || value('ID') || 'this system',
    family: is('debian', 'ubuntu')
      ? 'debian'
      : is('fedora', 'rhel', 'centos')
        ? 'fedora'
        : is('arch')
          ? 'arch'
          : is('suse', 'opensuse') || ids.some((id) => id.startsWith('opensuse'))
            ? 'suse'
            : undefined,
  };
}

const INSTALLERS: Record<Family, string> = {
  debian: 'apt-get install -y --no-install-recommends',
  fedora: 'dnf install',
  arch: 'pacman -S --needed',
  suse: 'zypper install',
};

/** The packages that contain what is missing; Debian's names for an unknown family. */
export function packagesFor(missing: readonly Missing[], family: Family = 'debian'): string[] {
  const names = missing.map(({ requirement }) => requirement.packages[family]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** The command that installs them; undefined if we do not know one. */
export function installCommand(
  missing: readonly Missing[],
  { family }: Distribution,
  asRoot = process.getuid?.() === 0,
): string | undefined {
  const packages = packagesFor(missing, family);
  if (family === undefined || packages.length === 0) return undefined;
  return `${asRoot ? '' : 'sudo '}${INSTALLERS[family]} ${packages.join(' ')}`;
}

/** One line per package: its name, its purpose, and which of its programs are missing. */
export function describeMissing(missing: readonly Missing[], family: Family = 'debian'): string[] {
  const rows = missing.map(({ requirement, names }) => ({
    name: requirement.packages[family] ?? '(no package)',
    text: `${requirement.purpose} (${names.join(', ')})`,
  }));
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows.map(({ name, text }) => `${name.padEnd(width)}  ${text}`);
}
