import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { BrokenPromise } from '../../cli/power-cut/broken-promise.js';
import { type CutImage, findingOf, mergeFindings } from '../../cli/power-cut/findings.js';
import type { Lost } from '../../cli/power-cut/lost.js';
import {
  elfSymbols,
  kernelSymbols,
  kernelText,
  loadedModules,
  nameOf,
  Symbolizer,
} from '../../cli/power-cut/symbols.js';
import { findProgram } from '../../cli/system/programs.js';

const KERNEL =
  '81000000 startup_64\n81001000 memcpy_flushcache.cold\n81002000 arch_wb_cache_pmem\n';
const MODULES = `ext2 118784 1 - Live 0xffffffffc0a00000
jbd2 200704 1 ext4, Live 0xffffffffc0900000 (OE)
`;

const symbolizer = new Symbolizer({
  program: undefined,
  modules: loadedModules(MODULES),
  moduleFile: () => undefined,
  kernel: async () => kernelSymbols(KERNEL),
});

const site = (address: string, kind: 'store' | 'clwb' = 'store', kernel = true) => ({
  address,
  kernel,
  cpu: 1,
  kind,
});
const lost = (more: Partial<Lost> = {}): Lost => ({
  range: 0,
  offset: 65536,
  lines: 2,
  state: 'dirty',
  store: site('0xffffffff81001010'),
  writeBack: null,
  ...more,
});
const BROKEN: BrokenPromise = {
  kind: 'data',
  by: 'msync',
  name: 'd/a',
  from: 100,
  to: 200,
  position: 65536 + 100,
  wrongBytes: 100,
  part: { from: 100, to: 200 },
  message: 'bytes 100 to 199 are not what was promised',
};

const find = (
  runs: Lost[],
  broken = BROKEN,
  { state = 'nothing', flush = 'instructions' }: Partial<CutImage> = {},
) => findingOf(broken, { cut: 3, state, lost: runs, flush }, '/dev/pmem0', symbolizer);

t.test('who stored, and how it was lost', async (t) => {
  t.match(await find([lost({ offset: 0 }), lost()]), {
    tool: 'power-cut',
    severity: 'corruption',
    signature: 'power-cut:data:msync:memcpy_flushcache:not-written-back',
    path: '/d/a',
    function: 'memcpy_flushcache',
    powerCut: {
      promise: 'msync',
      from: 100,
      to: 200,
      cut: 3,
      state: 'nothing',
      images: 1,
      storedBy: { function: 'memcpy_flushcache', in: 'kernel', cpu: 1 },
      writtenBackBy: null,
    },
  });
  const pending = lost({ state: 'pending', writeBack: site('0xffffffff81002004', 'clwb') });
  t.match(await find([pending]), {
    signature: 'power-cut:data:msync:memcpy_flushcache:not-fenced',
    powerCut: { writtenBackBy: { function: 'arch_wb_cache_pmem' } },
  });
  const some = { ...BROKEN, wrongBytes: 64 };
  t.match((await find([lost()], some)).signature, /:some-lines-not-written-back$/);
});

t.test('where requests flush', async (t) => {
  const asked = { kind: 'request', address: '0x0', kernel: false, cpu: 0 } as const;
  for (const writeBack of [asked, null]) {
    const finding = await find(
      [lost({ writeBack })],
      { ...BROKEN, wrongBytes: 64 },
      {
        flush: 'requests',
      },
    );
    t.match(finding, {
      signature: 'power-cut:data:msync:memcpy_flushcache:no-flush-request',
      message: /: the device was not asked for a flush since it was stored$/,
    });
    t.equal(finding.powerCut?.writtenBackBy, undefined);
  }
});

t.test('where nothing of it was on its way', async (t) => {
  t.match((await find([])).signature, 'power-cut:data:msync:not-stored');
  t.match(
    (await find([lost()], BROKEN, { state: 'everything' })).signature,
    'power-cut:data:msync:not-stored',
  );
  // Of a name it is not known where it is: the most of what was lost.
  const { position: _, ...rest } = BROKEN;
  const name: BrokenPromise = { ...rest, kind: 'name', by: 'fsync-directory' };
  const jbd2 = lost({ lines: 9, store: site('0xffffffffc0900100') });
  t.match(await find([lost(), jbd2], name), {
    signature: 'power-cut:name:fsync-directory:not-written-back',
    powerCut: { storedBy: { in: 'jbd2', address: '0xffffffffc0900100' } },
  });
});

t.test('the same of many images is one', async (t) => {
  const merged = mergeFindings([await find([lost()]), await find([lost()]), await find([])]);
  t.strictSame(
    merged.map(({ powerCut }) => powerCut?.images),
    [2, 1],
  );
});

t.test('a kernel that KASLR has put elsewhere than the one whose symbols were read', async (t) => {
  const moved = `${MODULES}ffffffff9f200000 T _text\n`;
  const named = async (addresses: string, symbols: string, address: string) => {
    const sources = { ...symbolizer.sources, text: kernelText(addresses) };
    const own = new Symbolizer({ ...sources, kernel: async () => kernelSymbols(symbols) });
    return (await own.place(site(address))).function;
  };
  const symbols = `81000000 _text\n${KERNEL}`;
  t.equal(await named(moved, symbols, '0xffffffff9f202004'), 'arch_wb_cache_pmem');
  t.equal(await named(moved, symbols, '0xffffffff9f201010'), 'memcpy_flushcache');
  // It is not told by one side: as it is.
  t.equal(await named(MODULES, symbols, '0xffffffff81002004'), 'arch_wb_cache_pmem');
  t.equal(await named(moved, KERNEL, '0xffffffff81002004'), 'arch_wb_cache_pmem');
  t.equal(kernelText(MODULES), undefined);
});

const skip = findProgram('gcc') === undefined && 'there is no gcc';

t.test('functions of a program', { skip }, async (t) => {
  const directory = t.testdir();
  const source = join(directory, 'p.c');
  const file = join(directory, 'p');
  writeFileSync(
    source,
    'int __attribute__((noinline)) stores(int a) { return a * 3; }\nint main(int c, char **v) { (void)v; return stores(c); }\n',
  );
  execFileSync('gcc', ['-O1', '-o', file, source]);
  const symbols = elfSymbols(readFileSync(file));
  const at = symbols.find(({ name }) => name === 'stores')?.address ?? 0n;
  t.equal(nameOf(symbols, at), 'stores');
  t.equal(nameOf(symbols, at + 1n), 'stores');
  t.equal(nameOf(symbols, 0n), undefined);
  const object = join(directory, 'p.o');
  execFileSync('gcc', ['-O1', '-c', '-o', object, source]);
  const ofText = elfSymbols(readFileSync(object), '.text');
  t.strictSame(ofText.map(({ name }) => name).sort(), ['main', 'stores']);
  t.strictSame(elfSymbols(Buffer.from('no ELF')), []);
});
