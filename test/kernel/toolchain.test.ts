import t from 'tap';
import { isBuildProduct, parseVersion } from '../../cli/kernel/source-tree.js';
import { diagnose, quirksOf } from '../../cli/kernel/toolchain.js';

t.test('adds the flags that old trees need, and none for newer trees', (t) => {
  const names = (text: string) => Object.keys(quirksOf(text).variables).sort();
  t.strictSame(names('4.5.0'), ['HOSTCFLAGS', 'KAFLAGS', 'KCFLAGS']);
  t.strictSame(names('4.19.0'), ['HOSTCFLAGS']);
  for (const text of ['5.6.0', '5.10.223', '6.1.0', '7.2.0']) t.strictSame(names(text), []);
  t.ok(quirksOf('4.15.0').noModules);
  t.notOk(quirksOf('4.16.0').noModules);
  t.equal(quirksOf('4.5.0').notes.length, 3);
  t.end();
});

t.test('has a remedy for each known failure', (t) => {
  const cases: [said: string, remedy: RegExp, missing: boolean][] = [
    ['/bin/sh: 1: flex: not found', /Install flex/, true],
    [
      'scripts/sign-file.c:25:10: fatal error: openssl/opensslv.h: No such file or directory',
      /libssl-dev/,
      true,
    ],
    [
      'tools/objtool/elf.h:10:10: fatal error: gelf.h: No such file or directory',
      /libelf-dev/,
      true,
    ],
    ['BTF: .tmp_vmlinux.btf: pahole (pahole) is not available', /dwarves/, true],
    [
      'gcc: error: unrecognized command-line option ‘-mfunction-return=thunk-extern’; did you mean',
      /know -mfunction-return=thunk-extern/,
      false,
    ],
    [
      "make[2]: *** No rule to make target 'fs/ext2/new.o', needed by 'fs/ext2/built-in.a'.",
      /git add/,
      false,
    ],
    [
      'linux/compiler-gcc.h:106: fatal error: linux/compiler-gcc12.h: No such file or directory',
      /not know gcc 12/,
      false,
    ],
    [
      'arch/x86/kernel/head64.c:1:0: error: code model kernel does not support PIC mode',
      /gcc 5/,
      false,
    ],
    ["dtc-parser.tab.o:(.bss+0x20): multiple definition of `yylloc'; dtc-lexer", /gcc 9/, false],
    ['*** Compiler is too old.\n***   Your GCC version:    4.9.2', /min-tool-version/, false],
    ['stddef.h:11:9: error: cannot use keyword ‘false’ as enumeration constant', /gcc 14/, false],
    ['Unsupported relocation type: R_X86_64_PLT32 (4)', /RELOCATABLE/, false],
  ];
  for (const [said, remedy, missing] of cases) {
    t.match(diagnose(`CC x.o\n${said}\nmake: *** [all] Error 2`), { remedy, missing }, said);
  }
  t.equal(diagnose('fs/dax.c:1: error: expected expression'), undefined);
  t.end();
});

t.test("reads the version from a kernel's Makefile, and none from another", (t) => {
  const makefile =
    '# SPDX\nVERSION = 6\nPATCHLEVEL = 14\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\nNAME = x\n';
  t.equal(parseVersion(makefile), '6.14.0-rc3');
  t.equal(parseVersion('VERSION = 4\nPATCHLEVEL = 5\nEXTRAVERSION =\n'), '4.5.0');
  for (const text of [
    '',
    'all:\n',
    'VERSION = $(shell x)\nPATCHLEVEL = 1\n',
    'VERSION =\nPATCHLEVEL = 1\n',
  ]) {
    t.equal(parseVersion(text), undefined, text);
  }
  t.end();
});

t.test('recognises by name what a build leaves among the sources', (t) => {
  for (const path of [
    '.config',
    'vmlinux',
    'fs/dax.o',
    'fs/.dax.o.cmd',
    'include/generated/autoconf.h',
    'fs/ext2/ext2.mod.c',
    'Module.symvers',
    '.git/HEAD',
  ]) {
    t.ok(isBuildProduct(path), path);
  }
  for (const path of [
    'Makefile',
    'fs/dax.c',
    'include/linux/dax.h',
    '.clang-format',
    'kernel/configs/tiny.config',
    'scripts/module.lds.S',
    'arch/x86/configs/x86_64_defconfig',
    'tools/include/generated.h',
  ]) {
    t.notOk(isBuildProduct(path), path);
  }
  t.end();
});
