import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { kernelBuildCommand, kernelPathCommand } from '../../cli/commands/kernel.js';
import { kernelListCommand } from '../../cli/commands/kernel-list.js';
import { makeBzImage, makeVmlinux } from '../kernel/fixtures.js';

function makeContext(t: import('tap').Test) {
  const root = t.testdir();
  const image = join(root, 'bzImage');
  writeFileSync(image, makeBzImage('6.1.0-1-test', gzipSync(makeVmlinux('6.1.0-1-test'))));
  const printed: string[] = [];
  const errors: string[] = [];
  const context = {
    store: { root: join(root, 'cache') },
    progress: () => {},
    print: (text: string) => void printed.push(text),
    printError: (text: string) => void errors.push(text),
  };
  return { image, context, printed, errors };
}

t.test('prints the path and nothing else', async (t) => {
  const { image, context, printed, errors } = makeContext(t);
  t.equal(await kernelPathCommand(`image:${image}`, {}, context), 0);
  t.strictSame([printed, errors], [[image], []]);
});

t.test('rejects an unknown kernel', async (t) => {
  const { context, printed, errors } = makeContext(t);
  t.equal(await kernelPathCommand('debain:6.1', {}, context), 2);
  t.equal(await kernelBuildCommand('image:/nowhere/bzImage', {}, context), 2);
  t.strictSame(printed, []);
  t.match(errors, [/mean debian:6\.1\?/, /no kernel image/]);
});

t.test('lists kernels as text and as JSON', async (t) => {
  const { context, printed } = makeContext(t);
  t.equal(await kernelListCommand({}, context), 0);
  t.match(printed[0], /^debian:6\.1 +Debian bookworm +downloaded on first use$/m);
  t.match(printed[0], /^debian:7\.2 .*no DAX in ext2$/m);
  t.match(printed[0], /^image:BZIMAGE/m);
  t.equal(await kernelListCommand({ json: true }, context), 0);
  t.match(JSON.parse(printed[1] ?? ''), {
    schemaVersion: 1,
    kernels: [
      { spec: 'debian:5.10', release: null, version: null, lacksDax: { length: 0 } },
      {},
      {},
      {},
    ],
  });
});

t.test('builds everything that a run needs', async (t) => {
  const { image, context, printed } = makeContext(t);
  t.equal(await kernelBuildCommand(`image:${image}`, { json: true }, context), 0);
  t.match(JSON.parse(printed[0] ?? ''), {
    kernel: { release: '6.1.0-1-test', image, modules: { ext2: null, ext4: null, xfs: null } },
  });
});
