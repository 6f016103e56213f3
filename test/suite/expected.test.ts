import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { formatFailure } from '../../cli/outcome.js';
import { exitCodeOfUnits } from '../../cli/results/run-result.js';
import { expectationFor, readExpectedFailures } from '../../cli/suite/expected.js';
import { finding } from '../verdict/records.js';

const SIGNATURE = 'e2fsck:directory-inode-block-offset-directory-corrupted';

const read = (t: Test, text: string) => {
  const file = join(t.testdir({}), 'expected.yaml');
  writeFileSync(file, text);
  const entries = readExpectedFailures(file);
  return entries.ok ? entries.value : formatFailure(entries.failure).replace(file, 'FILE');
};

const unit = (more: Record<string, unknown> = {}, release = '6.1.0-56-amd64') => ({
  test: 'generic/002',
  fs: 'ext2',
  pmem: 'memmap' as const,
  kernel: { spec: 'debian:6.1', release, id: 'x' },
  verdict: 'fail' as const,
  findings: [finding({ signature: SIGNATURE })],
  ...more,
});

const expected = (t: Test, entry: string, one = unit()) => {
  const entries = read(t, `- test: generic/002\n  reason: known\n${entry}`);
  return typeof entries === 'string' ? entries : expectationFor(one, entries);
};

t.test('limits entries by file system, pmem and kernel', async (t) => {
  const held = { reason: 'known', held: true };
  t.same(expected(t, ''), held);
  for (const [entry, applies] of [
    ['  fs: ext2\n', true],
    ['  fs: [ext4, xfs]\n', false],
    ['  pmem: [memmap, nvdimm]\n', true],
    ['  pmem: none\n', false],
    ['  kernel: "< 6.2"\n', true],
    ['  kernel: ">= 5.10, < 6.1"\n', false],
    ['  kernel: ">= 6.1, <= 6.1"\n', true],
    ['  kernel: "= 6.1"\n', true],
    ['  kernel: "> 6.1"\n', false],
    ['  kernel: "< 6.10"\n', true],
    ['  kernel: ">= 7"\n', false],
  ] as [string, boolean][]) {
    t.same(expected(t, entry), applies ? held : undefined, entry);
  }
  for (const entry of ['  kernel: "< 6.2"\n', '  kernel: ">= 5.10"\n']) {
    const unnumbered = unit({ kernel: { spec: 'src:tree', release: 'next', id: 'x' } });
    t.equal(expected(t, entry, unnumbered), undefined, `${entry} a release without a number`);
  }
});

t.test('tells whether a unit failed as expected', async (t) => {
  const held = (entry: string, one: ReturnType<typeof unit>) => {
    const expectation = expected(t, entry, one);
    return typeof expectation === 'object' ? expectation.held : expectation;
  };
  t.equal(held('', unit({ verdict: 'pass', findings: [] })), false, 'it passes');
  t.equal(held('', unit({ verdict: 'invalid' })), false, 'no verdict on the file system');
  t.equal(held(`  signature: ${SIGNATURE}\n`, unit()), true);
  t.equal(held('  signature: e2fsck:other\n', unit()), false, 'it fails with another finding');
  const two = `- {test: "generic/*", reason: second, signature: "${SIGNATURE}"}\n`;
  t.equal(
    held(`  signature: e2fsck:other\n${two}`, unit()),
    true,
    'one of several entries is enough',
  );
});

t.test('does not count expected failures in the exit code', async (t) => {
  const failed = (held: boolean) => ({
    verdict: 'fail' as const,
    expectedFailure: { reason: 'known', held },
  });
  t.equal(exitCodeOfUnits([{ verdict: 'pass' }, failed(true)]), 0);
  t.equal(exitCodeOfUnits([failed(true)]), 0);
  t.equal(exitCodeOfUnits([{ verdict: 'pass' }, failed(false)]), 1);
  t.equal(exitCodeOfUnits([failed(true), { verdict: 'error' }]), 3);
  t.equal(exitCodeOfUnits([failed(true), { verdict: 'fail' }]), 1);
});

t.test('reports mistakes in the file with their place', async (t) => {
  const good = '- test: generic/001\n  reason: known\n';
  for (const [text, said] of [
    ['test: generic/002\n', /FILE:1:1: .*\n {2}Give a list of entries/],
    ['- test: generic/002\n', /FILE:1:3: .*\n {2}Say why it fails/],
    [`${good}- test: what ever\n  reason: x\n`, /FILE:3:9: .*\n {2}Give a test, a range/],
    [`${good}  fs: btrfs\n`, /FILE:3:7: .*\n {2}Give one of ext2, ext4, xfs/],
    [`${good}  kernel: new\n`, /FILE:3:11: .*\n {2}Give conditions such as/],
    [`${good}  kernel: 6.1\n`, /FILE:3:11: .*\n {2}Give conditions such as/],
    [`${good}  signature: directory corrupted\n`, /FILE:3:14: .*\n {2}A signature begins/],
    [`${good}  because: x\n`, /FILE:3:3: Unknown key "because"/],
    [`${good}  reason: again\n`, /FILE:3:3: Duplicate key/],
    ['- [\n', /FILE:2:1: This is not valid YAML/],
  ] as [string, RegExp][]) {
    t.match(read(t, text), said, text);
  }
  t.same(read(t, '# nothing yet\n'), []);
  const missing = readExpectedFailures('/nowhere/expected.yaml');
  t.match(missing, { ok: false, failure: { kind: 'usage', message: /cannot be read/ } });
});
