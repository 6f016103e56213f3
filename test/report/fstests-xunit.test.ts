import t from 'tap';
import { formatReport } from '../../cli/report/format.js';
import type { KeptResult } from '../../cli/results/read.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { hostile } from '../util/hostile.js';
import {
  keptComparison,
  keptRun,
  shown,
  WHOLE_BISECTION,
  WHOLE_COMPARISON,
  WHOLE_FAILURE,
  WHOLE_RUN,
} from '../util/kept.js';
import { accepts, xunitSchema } from '../util/readers.js';
import { RESULT, UNIT } from '../util/results.js';

const NOW = new Date('2026-02-03T04:05:06.789Z');

const report = (first: KeptResult, ...others: KeptResult[]) =>
  formatReport('fstests-xunit', shown(first, ...others), {
    ...{ width: 90, colour: false, from: '/' },
    now: NOW,
  });

const xml = (...units: Partial<UnitResult>[]) =>
  report(keptRun({ ...RESULT, durationSeconds: 60, units: units.map((u) => ({ ...UNIT, ...u })) }));

t.test('writes one section as the root, with the properties of check', async (t) => {
  const text = xml({ test: 'generic/001' }, { test: 'generic/002', durationSeconds: 10 });
  t.match(
    text,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuite xmlns="https:\/\/git\.kernel/,
  );
  t.match(text, ' name="xfstests" failures="0" skipped="0" tests="2" time="11.2" ');
  t.match(text, 'hostname="localhost"');
  t.match(text, 'start_timestamp="2026-01-01T00:00:00+00:00"');
  t.match(text, ' timestamp="2026-01-01T00:00:50+00:00"', 'the last test ended with the run');
  t.match(text, 'report_timestamp="2026-02-03T04:05:06+00:00"');
  for (const property of [
    'name="SECTION" value="ext2-memmap-base-builtin"',
    'name="FSTYP" value="ext2"',
    'name="KERNEL" value="6.1.0-56-amd64"',
    'name="MOUNT_OPTIONS" value="rw,dax"',
    'name="DAXREPRO_PMEM" value="memmap"',
    'name="DAXREPRO_DAX" value="proven"',
  ]) {
    t.match(text, `<property ${property}/>`);
  }
  t.match(text, '<testcase classname="xfstests.ext2-memmap-base-builtin" name="generic/001" time=');
});

t.test('writes the element of each verdict, and counts errors as not passed', async (t) => {
  const known = { reason: 'known', held: true };
  const text = xml(
    { test: 'generic/001', verdict: 'pass' },
    { ...WHOLE_FAILURE, test: 'generic/002' },
    { test: 'generic/003', verdict: 'invalid', reason: 'no DAX' },
    { test: 'generic/004', verdict: 'error', reason: 'did not boot' },
    { test: 'generic/005', verdict: 'notrun', reason: 'needs more' },
    { test: 'generic/006', verdict: 'fail', reason: 'as ever', expectedFailure: known },
  );
  t.match(text, 'failures="3" skipped="2" tests="6"');
  t.match(text, /name="generic\/001" time="[\d.]+"\/>/);
  t.match(text, /name="generic\/002"[^>]*>\n *<failure message="e2fsck: [^"]*" type="TestFail">/);
  t.match(text, '<kernel-log>WARNING: CPU: 0\nCall Trace:</kernel-log>');
  t.match(text, /name="generic\/003"[^>]*>\n *<error message="no DAX" type="TestError">/);
  t.match(text, /name="generic\/004"[^>]*>\n *<error message="did not boot" type="TestError">/);
  t.match(text, /name="generic\/005"[^>]*>\n *<skipped message="needs more"\/>/);
  t.match(text, /name="generic\/006"[^>]*>\n *<skipped message="expected to fail: known; as ever"/);
});

t.test('writes several sections as testsuites, each with its own properties', async (t) => {
  const text = xml({}, { pmem: 'nvdimm' }, { pmem: 'nvdimm', attempt: 2 }, { fs: 'xfs' });
  t.match(text, /\n<testsuites xmlns="[^"]+">\n {2}<testsuite package="ext2-memmap-[^"]*" id="0"/);
  t.match(text, /package="ext2-nvdimm-base-builtin" id="1"[^>]* tests="2"/);
  t.match(text, /package="xfs-memmap-base-builtin" id="2"/);
  const kernels = xml({}, { test: 'a', kernel: { ...UNIT.kernel, id: 'x' } });
  t.match(kernels, /package="(.*)" id="0"[\s\S]*package="\1-2" id="1"/, 'distinct names');
});

const { reader: schema, missing } = xunitSchema();

t.test('is valid by the schema of the tree', { skip: missing ?? false }, async (t) => {
  const check = (text: string) =>
    accepts('xmllint', ['--noout', '--nonet', '--schema', schema ?? '', '-'], text);
  const bisection: KeptResult = { kind: 'bisect', directory: '/runs/3', result: WHOLE_BISECTION };
  const all: [KeptResult, ...KeptResult[]][] = [
    [keptRun(WHOLE_RUN)],
    [keptComparison(WHOLE_COMPARISON)],
    [keptRun(WHOLE_RUN), keptComparison(WHOLE_COMPARISON), bisection],
    [keptRun({ ...RESULT, units: [] })],
    [keptRun({ ...RESULT, started: '' })],
    [keptRun({ ...RESULT, units: [{ ...UNIT, test: '', suite: { name: '', version: '' } }] })],
  ];
  for (const [first, ...others] of all) {
    t.doesNotThrow(() => check(report(first, ...others)));
    const nasty = [first, ...others].map((one) => ({ ...one, result: hostile(one.result) }));
    t.doesNotThrow(() => check(report(...(nasty as [KeptResult]))), 'hostile');
  }
  const text = xml({});
  for (const [from, to] of [
    ['time="', 'time="x'],
    ['+00:00"', 'Z"'],
    ['<properties>', '<property>'],
    [' hostname="localhost"', ''],
    [' xmlns=', ' xmlns:x='],
  ] as const) {
    t.throws(() => check(text.replace(from, to)), `${from} matters`);
  }
});
