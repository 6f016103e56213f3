import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  formatSettings,
  lostSettings,
  ownSettings,
  parseFragment,
} from '../../cli/kernel/fragments.js';
import { explainSymbol } from '../../cli/kernel/kconfig.js';
import { writeTree } from './fixtures.js';

t.test('has each symbol once in its own fragments, and all required ones', async (t) => {
  const settings = await ownSettings();
  const symbols = settings.map(({ symbol }) => symbol);
  t.strictSame(
    symbols.filter((symbol, index) => symbols.indexOf(symbol) < index),
    [],
  );
  const required = new Map(
    settings.filter(({ optional }) => !optional).map(({ symbol, value }) => [symbol, value]),
  );
  for (const symbol of [
    'FS_DAX',
    'ZONE_DEVICE',
    'X86_PMEM_LEGACY',
    'ACPI_NFIT',
    'VIRTIO_CONSOLE',
  ]) {
    t.equal(required.get(symbol), 'y', symbol);
  }
  for (const symbol of ['EXT2_FS', 'EXT4_FS', 'XFS_FS']) t.equal(required.get(symbol), 'm', symbol);
  // 4.5 lacks these, so they must be optional.
  for (const symbol of [
    'PVH',
    'VIRTIO_PMEM',
    'UNWINDER_FRAME_POINTER',
    'IO_URING',
    'VIRTIO_MENU',
    // No verdict needs these.
    'KPROBES',
    'KPROBE_EVENTS',
    'CRYPTO_USER_API_HASH',
    'HOTPLUG_PCI_ACPI',
  ]) {
    t.notOk(required.has(symbol), symbol);
    t.ok(symbols.includes(symbol), symbol);
  }
});

t.test('takes exactly the paragraph after "# optional" as optional', (t) => {
  const text = `\
# Why.
CONFIG_A=y
# optional is a word of this comment only
# CONFIG_B is not set

# optional: since 5.8
CONFIG_C="a \\"b\\""
CONFIG_D=0x10

CONFIG_E=m
`;
  const parsed = parseFragment(text, 'x.config');
  if (!parsed.ok) throw new Error(parsed.failure.message);
  t.strictSame(
    parsed.value.map(({ symbol, value, optional }) => [symbol, value, optional]),
    [
      ['A', 'y', false],
      ['B', 'n', false],
      ['C', '"a \\"b\\""', true],
      ['D', '0x10', true],
      ['E', 'm', false],
    ],
  );
  t.strictSame(parsed.value[4]?.place, { file: 'x.config', line: 10 });
  t.equal(
    formatSettings(parsed.value),
    'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a \\"b\\""\nCONFIG_D=0x10\nCONFIG_E=m\n',
  );
  for (const wrong of ['CONFIG_A', 'CONFIG_A=yes', 'A=y', 'CONFIG_A=y # why', 'CONFIG_A="x']) {
    t.match(parseFragment(`\n${wrong}\n`, 'x'), { failure: { place: { line: 2 } } }, wrong);
  }
  t.end();
});

t.test('lists lost settings: built in satisfies a module, absent means off', (t) => {
  const wanted = parseFragment(
    'CONFIG_A=m\nCONFIG_B=m\nCONFIG_C=y\n# CONFIG_D is not set\n# CONFIG_E is not set\nCONFIG_F="x"\n\n# optional\nCONFIG_G=y\n',
    'x',
  );
  if (!wanted.ok) throw new Error(wanted.failure.message);
  const lost = lostSettings(
    'CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=m\nCONFIG_D=y\nCONFIG_F="x"\n',
    wanted.value,
  );
  t.strictSame(
    [lost.required.map(({ symbol }) => symbol), lost.optional.map(({ symbol }) => symbol)],
    [['C', 'D'], ['G']],
  );
  t.end();
});

t.test('explains a lost symbol by the Kconfig files', async (t) => {
  const tree = t.testdir();
  writeTree(tree, {
    Kconfig: 'source "fs/Kconfig"\n',
    'fs/Kconfig': `\
if BLOCK
config FS_DAX
	bool "DAX"
	depends on MMU
	depends on ZONE_DEVICE || !(ARM || \\
		MIPS)
	help
	  if this is read as a condition, it is wrong.
	  depends on nothing.
endif
config EASY
	bool
`,
    'arch/arm/Kconfig': 'config FS_DAX\n\tdepends on ARM_ONLY\n',
  });
  t.equal(
    await explainSymbol(tree, 'FS_DAX', 'CONFIG_BLOCK=y\nCONFIG_MMU=y\nCONFIG_MIPS=y\n'),
    'it depends on BLOCK and MMU and ZONE_DEVICE || !(ARM || MIPS) (fs/Kconfig); ZONE_DEVICE is off, ARM is off',
  );
  t.equal(await explainSymbol(tree, 'EASY', ''), 'fs/Kconfig does not say why');
  t.equal(await explainSymbol(tree, 'NONE', ''), 'this tree has no such symbol');
  writeFileSync(join(tree, 'Kconfig'), 'config NONE\n');
  t.notMatch(await explainSymbol(tree, 'NONE', ''), /no such symbol/);
});
