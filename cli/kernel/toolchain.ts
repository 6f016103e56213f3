import { atLeast } from '../kernel-version.js';

/**
 * What compilers and kernels of different ages want of each other: flags that old trees need with
 * newer programs, and what to do where a build fails for a reason that is known. Each entry names
 * what it rests on.
 */

export interface Quirks {
  /** For make's command line. */
  variables: Record<string, string>;
  /** Why there are no modules, and the file systems are in the image; undefined where there are. */
  noModules?: string;
  /** For people, one line each. */
  notes: string[];
}

/** @param version of the kernel's sources, `6.14.0-rc3` */
export function quirksOf(version: string): Quirks {
  const quirks: Quirks = { variables: {}, notes: [] };
  const note = (text: string) => quirks.notes.push(`${version}: ${text}`);
  if (!atLeast(version, '4.9')) {
    // Compilers that make position-independent programs by default came later (kernel commit
    // c6a385539175, "kbuild: Steal gcc's pie from the very beginning", 4.9). Tried with 4.5 and gcc 9.
    quirks.variables['KCFLAGS'] = '-fno-pie';
    quirks.variables['KAFLAGS'] = '-fno-pie';
    note('compiled with -fno-pie, which newer compilers need for trees before 4.9');
  }
  if (!atLeast(version, '5.6')) {
    // gcc 10 made -fno-common its default; scripts/dtc had one variable in two files (kernel commit
    // e33a814e772c, "scripts/dtc: Remove redundant YYLOC global declaration", 5.6).
    quirks.variables['HOSTCFLAGS'] = '-O2 -fcommon';
    note("the build's own programs compiled with -fcommon, which newer compilers need before 5.6");
  }
  if (!atLeast(version, '4.16')) {
    // binutils 2.31 and newer write R_X86_64_PLT32, which module loaders before 4.16 do not know
    // (kernel commit b21ebf2fb4cd, "x86: Treat R_X86_64_PLT32 as R_X86_64_PC32").
    quirks.noModules = `modules of ${version} cannot be made with today's binutils`;
    note(`without modules: today's binutils make none that a kernel before 4.16 can load`);
  }
  return quirks;
}

interface KnownFailure {
  /** In the build's output. */
  said: RegExp;
  /** What to do next; $1 … are the pattern's groups. */
  remedy: string;
  /** A tool of the machine is missing, and the kernel has no fault. */
  missing?: true;
}

/** The first that fits is told. */
const KNOWN_FAILURES: readonly KnownFailure[] = [
  // Programs and headers that the build uses. Their names are Debian's packages.
  { said: /(flex|bison|bc): (?:command )?not found/, remedy: 'Install $1', missing: true },
  {
    said: /fatal error: (?:openssl|crypto)\/\S+: No such file/,
    remedy: 'Install libssl-dev, which signs modules and reads certificates',
    missing: true,
  },
  {
    said: /fatal error: (?:libelf|gelf)\.h: No such file|[Pp]lease install libelf-dev/,
    remedy: 'Install libelf-dev, which objtool is built with',
    missing: true,
  },
  {
    said: /pahole(?: \(pahole\))?(?: is not available|: not found)/,
    remedy: 'Install pahole (the package is dwarves), or turn CONFIG_DEBUG_INFO_BTF off',
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
      'There is no source for $1.o in the tree. Of a git tree only what git tracks is built: `git add` new files',
  },
  // Compilers that are too old for the tree. scripts/min-tool-version.sh says how old one may be.
  {
    said: /\*\*\* (?:Compiler|Linker|Assembler) is too old/,
    remedy: 'Give a newer compiler with --cc; scripts/min-tool-version.sh in the tree says how new',
  },
  {
    said: /Compiler lacks asm-goto support|asm goto.*not supported/,
    remedy: 'Give gcc 5 or newer with --cc: this tree needs asm goto',
  },
  {
    said: /unrecognized (?:command[- ]line )?option [‘'"]?([^’'"\s;]+)/,
    remedy:
      'The compiler does not know $1: give a newer one with --cc, or the one that the tree is meant for',
  },
  // Compilers that are too new for the tree.
  {
    // include/linux/compiler-gcc.h included a file for each major version of gcc until 4.2.
    said: /linux\/compiler-gcc(\d+)\.h: No such file/,
    remedy: 'This tree knows no gcc $1: give an older one with --cc (gcc 4.9 or 5)',
  },
  {
    said: /code model kernel does not support PIC mode/,
    remedy:
      'The compiler makes position-independent code by default: give gcc 5 or older with --cc, or a tree of 4.9 or newer',
  },
  {
    said: /multiple definition of [`'](?:yylloc|yyval)/,
    remedy: "The build's own programs need gcc 9 or older here (mended in 5.6): give one with --cc",
  },
  {
    // gcc 15 takes C23 for its default, where bool, true and false are keywords.
    said: /cannot use keyword [‘'"](?:true|false)[’'"]|[‘'"]bool[’'"] cannot be defined via/,
    remedy:
      'gcc 15 and newer compile C23 by default, which this tree is too old for: give gcc 14 or older with --cc',
  },
  {
    // tools/lib/subcmd, mended by kernel commit 52a9dab6d892 in 5.17.
    said: /subcmd-util\.h.*use-after-free|error: pointer .* may be used after .*realloc/,
    remedy:
      "objtool's library does not compile with gcc 12 and newer before 5.17: give gcc 11 or older with --cc",
  },
  {
    said: /Unsupported relocation type: R_X86_64_PLT32/,
    remedy: 'Turn CONFIG_RELOCATABLE off: binutils 2.31 and newer are too new for it before 4.16',
  },
  {
    said: /objtool: (?:.*(?:unsupported|can't|failed|Segmentation)|.*: undefined stack state)/,
    remedy:
      'objtool does not understand the code of this compiler: give one of the age of the tree with --cc',
  },
  {
    said: /internal compiler error|Killed signal terminated program/,
    remedy:
      'The compiler itself broke, often for want of memory: give another one with --cc, or make room',
  },
  {
    said: /GLIBC_[\d.]+' not found/,
    remedy:
      'The compiler needs a newer C library than this machine has: give another one with --cc',
  },
];

export interface Diagnosis {
  remedy: string;
  missing: boolean;
}

/** What is known of such an output of make; undefined where nothing is. */
export function diagnose(output: string): Diagnosis | undefined {
  for (const { said, remedy, missing = false } of KNOWN_FAILURES) {
    const match = said.exec(output);
    if (!match) continue;
    return { remedy: remedy.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? ''), missing };
  }
  return undefined;
}
