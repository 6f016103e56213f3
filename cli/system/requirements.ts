/**
 * System requirements as data: programs, their purpose, and the packages that contain them.
 * `guest-scripts/image.yaml` lists every program for the guest; here are one or two per package.
 */

/** The part of the work that needs it. */
export type Part =
  /** Every run. */
  | 'run'
  /** Downloading and unpacking packaged kernels. */
  | 'debian-kernel'
  /** Building file-system modules. */
  | 'build'
  /** Building whole kernels; installed on first use. */
  | 'kernel-build'
  /** Applying patches. */
  | 'patches'
  /** Applying semantic patches; installed on first use. */
  | 'semantic-patches'
  /** Programs for some xfstests tests: reported if missing, installed only on request. */
  | 'xfstests'
  /** CXL memory. */
  | 'cxl'
  /** Our own tests; installed only for those who run them. */
  | 'test';

/** The parts that `daxrepro setup` installs. */
export const ALL_PARTS: readonly Part[] = ['run', 'debian-kernel', 'build', 'patches'];

/**
 * The same, plus our tests' requirements if the launcher installed the npm packages of our tests.
 */
export function partsToInstall(tools = process.env['DAXREPRO_TOOLS']): readonly Part[] {
  return tools === 'all' ? [...ALL_PARTS, 'test'] : ALL_PARTS;
}

/** Families of distributions with the same package names. */
export type Family = 'debian' | 'fedora' | 'arch' | 'suse';

export interface Requirement {
  part: Part;
  /** All of them must be in the PATH or the sbin directories. */
  programs: readonly string[];
  /** A required file, if it is not a program. */
  file?: string;
  /** Completes "it …": `boots the guests`. */
  purpose: string;
  /** undefined if the family has no such package. */
  packages: Record<Family, string | undefined>;
}

/** Families that are not named use Debian's name. */
function packaged(
  debian: string,
  others: Partial<Record<Exclude<Family, 'debian'>, string | undefined>> = {},
): Record<Family, string | undefined> {
  return { debian, fedora: debian, arch: debian, suse: debian, ...others };
}

const DMSETUP = packaged('dmsetup', { fedora: 'device-mapper', suse: 'device-mapper' });

export const REQUIREMENTS: readonly Requirement[] = [
  {
    part: 'run',
    programs: ['qemu-system-x86_64'],
    purpose: 'boots the guests',
    packages: packaged('qemu-system-x86', { fedora: 'qemu-system-x86-core', suse: 'qemu-x86' }),
  },
  {
    part: 'run',
    programs: ['e2fsck', 'mke2fs', 'debugfs'],
    purpose: 'makes and checks ext2 and ext4',
    packages: packaged('e2fsprogs'),
  },
  {
    part: 'run',
    programs: ['mkfs.xfs', 'xfs_repair', 'xfs_io'],
    purpose: 'makes and checks xfs; xfs_io shows whether a file is on DAX',
    packages: packaged('xfsprogs'),
  },
  {
    part: 'run',
    programs: ['ndctl'],
    purpose: 'configures persistent memory in the guest',
    packages: packaged('ndctl'),
  },
  {
    part: 'cxl',
    programs: ['cxl'],
    purpose: 'creates the regions of CXL memory in the guest',
    packages: packaged('cxl', { fedora: 'cxl-cli', arch: 'ndctl', suse: 'cxl' }),
  },
  {
    part: 'run',
    programs: ['depmod', 'modprobe', 'modinfo'],
    purpose: 'finds and loads kernel modules',
    packages: packaged('kmod'),
  },
  {
    part: 'run',
    programs: ['bsdtar'],
    purpose: "packs the guest's root file system",
    packages: packaged('libarchive-tools', {
      fedora: 'bsdtar',
      arch: 'libarchive',
      suse: 'bsdtar',
    }),
  },
  {
    part: 'run',
    programs: ['setpriv', 'flock', 'findmnt', 'losetup'],
    purpose: 'ends programs together with the one that started them, and locks the cache',
    packages: packaged('util-linux'),
  },
  {
    part: 'run',
    programs: ['mount', 'umount'],
    purpose: 'mounts in the guest',
    packages: packaged('mount', { fedora: 'util-linux', arch: 'util-linux', suse: 'util-linux' }),
  },
  {
    part: 'run',
    programs: ['hexdump'],
    purpose: 'goes into the guest for tests',
    packages: packaged('bsdextrautils', {
      fedora: 'util-linux',
      arch: 'util-linux',
      suse: 'util-linux',
    }),
  },
  {
    part: 'run',
    programs: ['xz'],
    purpose: 'unpacks kernels',
    packages: packaged('xz-utils', { fedora: 'xz', arch: 'xz', suse: 'xz' }),
  },
  {
    part: 'run',
    programs: ['zstd'],
    purpose: 'unpacks kernels',
    packages: packaged('zstd'),
  },
  ...guestPrograms(),
  {
    part: 'debian-kernel',
    programs: ['apt-get', 'apt-cache'],
    purpose: "downloads Debian's kernels",
    packages: packaged('apt', { arch: undefined, suse: undefined }),
  },
  {
    part: 'debian-kernel',
    programs: ['dpkg-deb'],
    purpose: "unpacks Debian's kernels",
    packages: packaged('dpkg'),
  },
  {
    part: 'build',
    programs: ['make'],
    purpose: 'builds file-system modules',
    packages: packaged('make'),
  },
  {
    part: 'build',
    programs: ['gcc', 'ld'],
    purpose: 'builds file-system modules',
    packages: packaged('gcc'),
  },
  {
    // The packaged headers contain objtool, which needs this library.
    part: 'build',
    programs: [],
    file: '/usr/include/libelf.h',
    purpose: "runs the kernel's build tools",
    packages: packaged('libelf-dev', {
      fedora: 'elfutils-libelf-devel',
      arch: 'libelf',
      suse: 'libelf-devel',
    }),
  },
  {
    part: 'kernel-build',
    programs: ['flex'],
    purpose: "generates the scanners of the kernel's configuration",
    packages: packaged('flex'),
  },
  {
    part: 'kernel-build',
    programs: ['bison'],
    purpose: "generates the parsers of the kernel's configuration",
    packages: packaged('bison'),
  },
  {
    part: 'kernel-build',
    programs: ['bc'],
    purpose: "calculates the kernel's time constants",
    packages: packaged('bc'),
  },
  {
    part: 'kernel-build',
    programs: [],
    file: '/usr/include/openssl/opensslv.h',
    purpose: "lets the kernel's build sign and read certificates",
    packages: packaged('libssl-dev', {
      fedora: 'openssl-devel',
      arch: 'openssl',
      suse: 'libopenssl-devel',
    }),
  },
  {
    part: 'patches',
    programs: ['git'],
    purpose: 'reads and applies patches and series of patches',
    packages: packaged('git'),
  },
  {
    part: 'semantic-patches',
    programs: ['spatch'],
    purpose: 'applies semantic patches (.cocci)',
    packages: packaged('coccinelle', { arch: undefined }),
  },
  ...xfstestsPrograms(),
  {
    part: 'test',
    programs: ['chromium'],
    purpose: 'displays reports in our tests',
    packages: packaged('chromium'),
  },
  {
    part: 'test',
    programs: ['xmllint'],
    purpose: 'validates XML reports',
    packages: packaged('libxml2-utils', {
      fedora: 'libxml2',
      arch: 'libxml2',
      suse: 'libxml2-tools',
    }),
  },
  {
    part: 'test',
    programs: ['python3'],
    purpose: "runs the kernel's reader of KTAP",
    packages: packaged('python3', { arch: 'python' }),
  },
  {
    part: 'test',
    programs: ['mutt'],
    purpose: 'reads mails as drafts',
    packages: packaged('mutt'),
  },
  {
    part: 'test',
    programs: ['zsh'],
    purpose: 'tests the completions',
    packages: packaged('zsh'),
  },
  {
    part: 'test',
    programs: ['fish'],
    purpose: 'tests the completions',
    packages: packaged('fish'),
  },
  {
    part: 'test',
    programs: ['mandoc'],
    purpose: 'checks the manual page',
    packages: packaged('mandoc'),
  },
  {
    part: 'test',
    programs: ['man'],
    purpose: 'displays the manual page in our tests',
    packages: packaged('man-db', { suse: 'man' }),
  },
  {
    part: 'test',
    programs: ['munged'],
    purpose: 'signs the messages of Slurm in our tests',
    packages: packaged('munge'),
  },
  {
    part: 'test',
    programs: ['slurmctld'],
    purpose: 'tests runs on many machines with Slurm',
    packages: packaged('slurmctld', {
      fedora: 'slurm-slurmctld',
      arch: 'slurm-llnl',
      suse: 'slurm',
    }),
  },
  {
    part: 'test',
    programs: ['slurmd'],
    purpose: 'tests runs on many machines with Slurm',
    packages: packaged('slurmd', {
      fedora: 'slurm-slurmd',
      arch: 'slurm-llnl',
      suse: 'slurm-node',
    }),
  },
  {
    part: 'test',
    programs: ['sbatch', 'squeue', 'scancel'],
    purpose: 'tests runs on many machines with Slurm',
    packages: packaged('slurm-client', { fedora: 'slurm', arch: 'slurm-llnl', suse: 'slurm' }),
  },
  {
    part: 'test',
    programs: ['sshd'],
    purpose: 'tests runs on many machines with ssh',
    packages: packaged('openssh-server', { arch: 'openssh' }),
  },
  {
    part: 'test',
    programs: ['ssh', 'ssh-keygen'],
    purpose: 'tests runs on many machines with ssh',
    packages: packaged('openssh-client', {
      fedora: 'openssh-clients',
      arch: 'openssh',
      suse: 'openssh-clients',
    }),
  },
  {
    part: 'test',
    programs: ['parallel'],
    purpose: 'tests runs on many machines with ssh',
    packages: packaged('parallel', { suse: 'gnu_parallel' }),
  },
  {
    part: 'test',
    programs: ['dmsetup'],
    purpose: 'sets up device mapper in the guests of our tests',
    packages: DMSETUP,
  },
  {
    part: 'test',
    programs: ['shellcheck'],
    purpose: 'checks our shell scripts',
    packages: packaged('shellcheck', { fedora: 'ShellCheck', suse: 'ShellCheck' }),
  },
  {
    part: 'test',
    programs: ['clang-format'],
    purpose: 'checks the format of our C code',
    packages: packaged('clang-format', {
      fedora: 'clang-tools-extra',
      arch: 'clang',
      suse: 'clang-tools',
    }),
  },
];

/** Programs that tests look for; without them they report that they do not apply. */
function xfstestsPrograms(): Requirement[] {
  const lines: [programs: string[], packages: Requirement['packages']][] = [
    [['attr'], packaged('attr')],
    [['dmsetup'], DMSETUP],
    [['fio'], packaged('fio')],
    [['gawk'], packaged('gawk')],
    [['fuser', 'killall'], packaged('psmisc')],
    [['getcap', 'setcap'], packaged('libcap2-bin', { fedora: 'libcap', suse: 'libcap-progs' })],
    [['keyctl'], packaged('keyutils')],
    [['quota', 'quotacheck'], packaged('quota', { arch: 'quota-tools' })],
    [['uuidgen'], packaged('uuid-runtime', { fedora: 'util-linux', arch: 'util-linux' })],
    [['xfsdump', 'xfsrestore'], packaged('xfsdump')],
  ];
  return lines.map(([programs, packages]) => ({
    part: 'xfstests',
    programs,
    purpose: 'is needed by some tests of xfstests',
    packages,
  }));
}

/** Programs that only the guest needs. */
function guestPrograms(): Requirement[] {
  const lines: [programs: string[], packages: Requirement['packages']][] = [
    [['bash'], packaged('bash')],
    [['stat', 'df', 'dd'], packaged('coreutils')],
    [['perl'], packaged('perl-base', { fedora: 'perl', arch: 'perl', suse: 'perl' })],
    [['awk'], packaged('mawk', { fedora: 'gawk', arch: 'gawk', suse: 'gawk' })],
    [['sed'], packaged('sed')],
    [['bc'], packaged('bc')],
    [['diff'], packaged('diffutils')],
    [['find'], packaged('findutils')],
    [['grep'], packaged('grep')],
    [['hostname'], packaged('hostname', { arch: 'inetutils' })],
    [['getfattr', 'setfattr'], packaged('attr')],
    [['getfacl', 'setfacl'], packaged('acl')],
    [['ps', 'pgrep'], packaged('procps', { fedora: 'procps-ng', arch: 'procps-ng' })],
    [['tar'], packaged('tar')],
  ];
  return lines.map(([programs, packages]) => ({
    part: 'run',
    programs,
    purpose: 'goes into the guest for tests',
    packages,
  }));
}
