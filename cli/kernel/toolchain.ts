import { atLeast } from '../kernel-version.js';

/**
 * Known mismatches between compilers and kernels of different ages: flags that old trees need with
 * newer programs, and remedies for build errors with a known cause. Each entry names its source.
 */

export interface Quirks {
  /** Variables for make's command line. */
  variables: Record<string, string>;
  /** Why there are no modules and the file systems are built in; undefined if there are modules. */
  noModules?: string;
  /** For the user, one line each. */
  notes: string[];
}

/** @param version of the kernel's sources, `6.14.0-rc3` */
export function quirksOf(version: string): Quirks {
  const quirks: Quirks = { variables: {}, notes: [] };
  const note = (text: string) => quirks.notes.push(`${version}: ${text}`);
  if (!atLeast(version, '4.9')) {
    // Newer compilers make position-independent programs by default; the kernel has coped since
    // commit c6a385539175 ("kbuild: Steal gcc's pie from the very beginning", 4.9). Tried with 4.5
    // and gcc 9.
    quirks.variables['KCFLAGS'] = '-fno-pie';
    quirks.variables['KAFLAGS'] = '-fno-pie';
    note('compiled with -fno-pie, which newer compilers need for trees before 4.9');
  }
  if (!atLeast(version, '5.6')) {
    // gcc 10 made -fno-common the default, and scripts/dtc defined one variable in two files (until
    // kernel commit e33a814e772c, "scripts/dtc: Remove redundant YYLOC global declaration", 5.6).
    quirks.variables['HOSTCFLAGS'] = '-O2 -fcommon';
    note(
      "the build's own programs compiled with -fcommon, which newer compilers need for trees before 5.6",
    );
  }
  if (!atLeast(version, '4.16')) {
    // binutils 2.31 and newer write R_X86_64_PLT32, which module loaders before 4.16 do not know
    // (kernel commit b21ebf2fb4cd, "x86: Treat R_X86_64_PLT32 as R_X86_64_PC32").
    quirks.noModules = `modules of ${version} cannot be made with today's binutils`;
    note(`without modules: a kernel before 4.16 cannot load those made by today's binutils`);
  }
  return quirks;
}

interface KnownFailure {
  /** Matches the build's output. */
  said: RegExp;
  /** What to do next; $1 … are the pattern's groups. */
  remedy: string;
  /** This machine lacks a tool; the kernel is not to blame. */
  missing?: true;
}

/** The first match wins. */
const KNOWN_FAILURES: readonly KnownFailure[] = [
  // Programs and headers that the build uses, by the names of Debian's packages.
  { said: /(flex|bison|bc): (?:command )?not found/, remedy: 'Install $1', missing: true },
  {
    said: /fatal error: (?:openssl|crypto)\/\S+: No such file/,
    remedy: 'Install libssl-dev, which signs modules and reads certificates',
    missing: true,
  },
  {
    said: /fatal error: (?:libelf|gelf)\.h: No such file|[Pp]lease install libelf-dev/,
    remedy: 'Install libelf-dev, which objtool needs',
    missing: true,
  },
  {
    said: /pahole(?: \(pahole\))?(?: is not available|: not found)/,
    remedy: 'Install pahole (in the package dwarves), or turn CONFIG_DEBUG_INFO_BTF off',
    missing: true,
  },
  {
    said: /\b(python3|perl|gawk|cpio|lz4c?|zstd|xz): (?:command )?not found/,
    remedy: 'Install $1',
    missing: true,
  },
  {
    said: /No rule to make target '([^']+)\.o', needed by/,
    remedy:
      'The tree has no source for $1.o. A git tree is built from its tracked files only: `git add` new files',
  },
  // Compilers that are too old for the tree; scripts/min-tool-version.sh has the limits.
  {
    said: /\*\*\* (?:Compiler|Linker|Assembler) is too old/,
    remedy: 'Use a newer compiler with --cc; scripts/min-tool-version.sh in the tree says which',
  },
  {
    said: /Compiler lacks asm-goto support|asm goto.*not supported/,
    remedy: 'Use gcc 5 or newer with --cc: this tree needs asm goto',
  },
  {
    said: /unrecognized (?:command[- ]line )?option [‘'"]?([^’'"\s;]+)/,
    remedy:
      'The compiler does not know $1: use a newer one with --cc, or the one that the tree is meant for',
  },
  // Compilers that are too new for the tree.
  {
    // Until 4.2, include/linux/compiler-gcc.h included one file per major version of gcc.
    said: /linux\/compiler-gcc(\d+)\.h: No such file/,
    remedy: 'This tree does not know gcc $1: use an older one with --cc (gcc 4.9 or 5)',
  },
  {
    said: /code model kernel does not support PIC mode/,
    remedy:
      'The compiler makes position-independent code by default: use gcc 5 or older with --cc, or a tree of 4.9 or newer',
  },
  {
    said: /multiple definition of [`'](?:yylloc|yyval)/,
    remedy:
      "The build's own programs need gcc 9 or older here (fixed in 5.6): choose one with --cc",
  },
  {
    // gcc 15 defaults to C23, where bool, true and false are keywords.
    said: /cannot use keyword [‘'"](?:true|false)[’'"]|[‘'"]bool[’'"] cannot be defined via/,
    remedy:
      'gcc 15 and newer compile C23 by default, which this tree is too old for: use gcc 14 or older with --cc',
  },
  {
    // tools/lib/subcmd, fixed by kernel commit 52a9dab6d892 in 5.17.
    said: /subcmd-util\.h.*use-after-free|error: pointer .* may be used after .*realloc/,
    remedy:
      "objtool's library does not compile with gcc 12 and newer before 5.17: use gcc 11 or older with --cc",
  },
  {
    said: /Unsupported relocation type: R_X86_64_PLT32/,
    remedy:
      'Turn CONFIG_RELOCATABLE off: before 4.16 it does not work with binutils 2.31 and newer',
  },
  {
    said: /objtool: (?:.*(?:unsupported|can't|failed|Segmentation)|.*: undefined stack state)/,
    remedy:
      "objtool does not understand this compiler's code: use one of the same age as the tree with --cc",
  },
  {
    said: /internal compiler error|Killed signal terminated program/,
    remedy:
      'The compiler itself crashed, often for lack of memory: use another one with --cc, or free some memory',
  },
  {
    said: /GLIBC_[\d.]+' not found/,
    remedy: 'The compiler needs a newer C library than this machine has: use another one with --cc',
  },
];

export interface Diagnosis {
  remedy: string;
  missing: boolean;
}

/** The diagnosis for make's output; undefined if nothing known matches. */
export function diagnose(output: string): Diagnosis | undefined {
  for (const { said, remedy, missing = false } of KNOWN_FAILURES) {
    const match = said.exec(output);
    if (!match) continue;
    return { remedy: remedy.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? ''), missing };
  }
  return undefined;
}
