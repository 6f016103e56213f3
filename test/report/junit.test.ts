import t from 'tap';
import { formatJunit } from '../../cli/report/junit.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { RESULT, UNIT } from '../util/results.js';
import { finding } from '../verdict/records.js';

const xml = (...units: Partial<UnitResult>[]) =>
  formatJunit({ ...RESULT, units: units.map((unit) => ({ ...UNIT, ...unit })) });

t.test('writes the element of each verdict', async (t) => {
  const text = xml(
    { test: 'generic/001', verdict: 'pass' },
    { test: 'generic/002', verdict: 'fail', reason: 'it differs', outcome: 'output-differs' },
    { test: 'generic/003', verdict: 'invalid', reason: 'no DAX' },
    { test: 'generic/004', verdict: 'error', reason: 'did not boot' },
    { test: 'generic/005', verdict: 'notrun', reason: 'needs more' },
    {
      test: 'generic/006',
      verdict: 'fail',
      reason: 'as always',
      expectedFailure: { reason: 'known', held: true },
    },
    { test: 'generic/007', verdict: 'fail', expectedFailure: { reason: 'known', held: false } },
    { test: 'generic/008', verdict: 'pass', expectedFailure: { reason: 'known', held: false } },
    { test: 'generic/009', verdict: 'pass', attempt: 2, variant: 'v2' },
  );
  t.match(text, /<testsuites name="daxrepro" tests="9" failures="2" errors="2" time="[\d.]+">/);
  t.match(
    text,
    /<testsuite name="daxrepro.builtin.ext2" tests="9" failures="2" errors="2" skipped="2" /,
  );
  t.match(text, /name="generic\/001" time="[\d.]+"\/>/);
  t.match(
    text,
    /name="generic\/002"[^>]*>\n *<failure type="output-differs" message="it differs">/,
  );
  t.match(text, /name="generic\/003"[^>]*>\n *<error type="invalid" message="no DAX">/);
  t.match(text, /name="generic\/004"[^>]*>\n *<error type="error" message="did not boot">/);
  t.match(text, /name="generic\/005"[^>]*>\n *<skipped message="needs more"\/>/);
  t.match(text, /generic\/006"[^>]*>\n *<skipped message="expected to fail: known; as always"\/>/);
  t.match(text, /name="generic\/007"[^>]*>\n *<failure /);
  t.match(text, /generic\/008"[^>]*>\n *<system-out>it was expected to fail: known</);
  t.match(text, /name="generic\/009 \[v2\] \(attempt 2\)"/);
});

t.test('escapes text from the guest', async (t) => {
  const hostile = `]]><failure "&'\x00\x1b[2J\u202e\uffff\ud800 \n end`;
  const text = xml({
    test: 'generic/001',
    verdict: 'fail',
    reason: hostile,
    findings: [finding({ message: hostile })],
    replay: 'daxrepro run ext2 generic/001 --mkfs-opts "<a> & b"',
  });
  t.notMatch(text, /[\x00-\x08\x0b-\x1f\u202e\uffff]/);
  t.match(text, /\]\]&gt;&lt;failure &quot;&amp;'\\x00\\x1b\[2J/);
  t.equal((text.match(/<failure/g) ?? []).length, 1);
});

t.test('groups findings of a kind, with their number and evidence', async (t) => {
  const evidence = { device: '/dev/pmem0', inode: 12, inodeType: 'directory', path: '/d' };
  const block = { number: 0, position: 4096, zeros: true, begins: '00' };
  const text = xml({
    verdict: 'fail',
    reason: 'r',
    findings: [
      finding({ signature: 'e2fsck:a', inode: 12, evidence: { ...evidence, block } }),
      finding({ signature: 'e2fsck:a', inode: 13 }),
      finding({ signature: 'e2fsck:b' }),
    ],
    omitted: [{ signature: 'e2fsck:a', severity: 'corruption', count: 40 }],
    unwritten: { known: false, reason: 'this kernel has no CONFIG_KPROBES' },
  });
  t.equal(text.match(/\[e2fsck:a\]/g)?.length, 1);
  t.match(text, /and 41 more like it/);
  t.match(text, 'inode 12 is directory /d: block 0 is all zeros on the medium');
  t.match(text, 'why: unknown whether the unmount left dirty data unwritten');
});

t.test('does not report expected verdicts of a comparison as failures', async (t) => {
  const compared = (verdict: 'pass' | 'fail' | 'invalid', expected: 'pass' | 'fail') =>
    xml({ verdict, expected: { verdict: expected }, held: verdict === expected } as never);
  t.match(compared('fail', 'fail'), '<skipped message="fail, as expected: ');
  t.match(compared('pass', 'fail'), '<failure type="pass" message="expected: fail; pass: ');
  t.match(compared('invalid', 'pass'), '<error type="invalid" message="expected: pass; invalid: ');
});

t.test('puts common properties into the suite, and names the kind of pmem', async (t) => {
  const text = xml({}, { pmem: 'nvdimm', kernel: { ...UNIT.kernel, spec: 'debian:5.10' } });
  t.match(text, '<property name="kernel" value="6.1.0-56-amd64"/>');
  t.notMatch(text, 'name="kernel.spec"');
  t.match(text, 'name="generic/002 on nvdimm"');
});
