import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import type { KernelContext } from '../../cli/kernel/kernel.js';
import { thisHost } from '../../cli/system/install.js';
import { makeContext, prependPath } from './context.js';
import { linesOf, makeBzImage, makeProgram, makeVmlinux, writeTree } from './fixtures.js';

/**
 * A kernel's sources in a few lines. The Makefile does what Kbuild does for make's targets, as far
 * as we see it: it makes an object of each source, with a compiler that records its calls.
 */

const MAKEFILE = `\
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 7
EXTRAVERSION =

ifdef M
# Modules alone, in the tree that was collected from the build.
sources := $(wildcard $(M)/*.c)
release := $(shell cat include/config/kernel.release)
modules: $(sources:.c=.o)
	@sh scripts/module.sh $(notdir $(M)) $(release) $(M)/$(notdir $(M)).ko
$(M)/%.o: $(M)/%.c
	@echo '  CC [M]  $@'
	@$(CC) $< $@
else
release := 6.1.7$(LOCALVERSION)
core := mm/memory.o fs/dax.o
ext2 := fs/ext2/inode.o fs/ext2/super.o
has_modules := $(shell grep -s CONFIG_MODULES=y $(O)/.config)

allnoconfig:
	@if [ -e .config ]; then echo 'The source tree is not clean, please run make mrproper'; exit 1; fi
	@mkdir -p $(O)/include/config $(O)/include/generated
	@grep -v -E -f scripts/lost $$KCONFIG_ALLCONFIG >$(O)/.config
olddefconfig:
	@test -e $(O)/.config
bzImage: $(addprefix $(O)/,$(core) $(if $(has_modules),,$(ext2)))
	@echo $(release) >$(O)/include/config/kernel.release
	@mkdir -p $(O)/arch/x86/boot
	@cp scripts/bzImage $(O)/arch/x86/boot/bzImage
	@printf '%s (a@b) #1\\0' $(release) | dd of=$(O)/arch/x86/boot/bzImage bs=1 seek=1536 conv=notrunc status=none
modules: $(addprefix $(O)/,$(ext2)) bzImage
	@sh scripts/module.sh ext2 $(release) $(O)/ext2.ko
	@: >$(O)/Module.symvers
modules_install:
	@mkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(release)/kernel/fs/ext2
	@cp $(O)/ext2.ko $(INSTALL_MOD_PATH)/lib/modules/$(release)/kernel/fs/ext2/
	@ln -s $(O) $(INSTALL_MOD_PATH)/lib/modules/$(release)/build
	@echo kernel/fs/ext2/ext2.ko >$(INSTALL_MOD_PATH)/lib/modules/$(release)/modules.order
	@: >$(INSTALL_MOD_PATH)/lib/modules/$(release)/modules.builtin
$(O)/%.o: %.c
	@mkdir -p $(dir $@)
	@echo '  CC      $*.o'
	@$(CC) $< $@
endif
.PHONY: modules allnoconfig olddefconfig bzImage modules_install
`;

const MODULE_SCRIPT = `\
printf '.section .modinfo,"a"\\n.asciz "name=%s"\\n.asciz "vermagic=%s SMP "\\n.text\\nnop\\n' "$1" "$2" |
	as -o "$3.o" && ld -r --build-id=sha1 -o "$3" "$3.o" && rm "$3.o"
`;

/** @param lost symbols that the configuration loses */
export function writeKernelTree(tree: string, lost: readonly string[] = []): void {
  writeTree(tree, {
    Makefile: MAKEFILE,
    Kconfig: 'config FS_DAX\n\tbool "DAX"\n\tdepends on ZONE_DEVICE && !HIGHMEM\n',
    'scripts/module.sh': MODULE_SCRIPT,
    'scripts/bzImage': makeBzImage('6.1.7', gzipSync(makeVmlinux('6.1.7'))),
    // A pattern that never matches, if nothing is to be lost.
    'scripts/lost': `${['NOTHING', ...lost].map((name) => `CONFIG_${name}[= ]`).join('\n')}\n`,
    'include/linux/dax.h': 'dax\n',
    'arch/x86/include/asm/page.h': 'page\n',
    'mm/memory.c': lines(20),
    'fs/dax.c': lines(20),
    'fs/ext2/inode.c': `IS_DAX\n${lines(20)}`,
    'fs/ext2/super.c': lines(20),
    'fs/ext2/Makefile': 'obj-m += ext2.o\n',
  });
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index + 1};\n`).join('');
}

/** A machine with the test's compiler, and a tree. */
export function setUpKernelTree(t: Test, lost: readonly string[] = []) {
  const root = t.testdir();
  const tree = join(root, 'linux');
  mkdirSync(tree);
  writeKernelTree(tree, lost);
  const calls = join(root, 'calls');
  const compiler = (script = 'cp "$1" "$2"') =>
    makeProgram(join(root, 'bin'), 'gcc', `echo "$(basename "$1")" >>"${calls}"\n${script}`);
  compiler();
  // Whether the machine has these does not matter: they never run.
  makeProgram(join(root, 'bin'), 'ccache', 'exec "$@"');
  prependPath(t, join(root, 'bin'));
  const { context, notes, stages } = makeContext(root);
  const host: KernelContext['host'] = { ...thisHost(), requirements: [] };
  let seen = 0;
  return {
    root,
    tree,
    compiler,
    context: { ...context, host },
    notes,
    stages,
    /** What was compiled since the last call, sorted by name. */
    compiled: (): string[] => {
      const all = linesOf(calls);
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh.sort();
    },
    file: (name: string, content: string) => {
      const path = join(root, name);
      writeFileSync(path, content);
      return path;
    },
  };
}
