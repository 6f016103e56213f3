import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { doctorCommand } from '../../cli/commands/doctor.js';
import type { DoctorReport } from '../../cli/doctor/report.js';
import { renderDoctor } from '../../cli/doctor/text.js';
import type { Host } from '../../cli/system/install.js';
import { findProgram } from '../../cli/system/programs.js';
import { FEDORA, fakeHost } from '../system/host.js';

async function doctor(host: Host, cache: string, suite?: string) {
  const out: string[] = [];
  const code = await doctorCommand(
    { json: true, ...(suite === undefined ? {} : { suite }) },
    { host, cache, print: (text) => out.push(text) },
  );
  return { code, report: JSON.parse(out.join('')) as DoctorReport };
}

t.test('lists missing packages, and says whether runs can work', async (t) => {
  const { host, bin, program } = fakeHost(t);
  const cache = join(bin, '../cache');
  const installable = await doctor(host, cache);
  t.equal(installable.code, 0);
  t.match(installable.report, {
    schemaVersion: 1,
    usable: true,
    notes: [/first run installs/],
    missing: [{ package: 'deb', names: ['boots'] }, { package: 'deb-build' }],
    install: 'apt-get install -y --no-install-recommends deb deb-build',
    parentDeath: true,
  });
  const elsewhere = await doctor({ ...host, distribution: FEDORA }, cache);
  t.equal(elsewhere.code, 1);
  t.match(elsewhere.report, { usable: false, problems: [/missing/], install: 'dnf install rpm' });
  program('boots', '');
  program('builds', '');
  const complete = await doctor({ ...host, distribution: FEDORA }, cache);
  t.equal(complete.code, 0);
  t.match(complete.report, { missing: { length: 0 }, install: null });
});

t.test('prints text', async (t) => {
  const { host, bin } = fakeHost(t);
  const out: string[] = [];
  await doctorCommand({}, { host, cache: bin, print: (text) => out.push(text) });
  t.match(out[0], /^daxrepro \S+ on Debian 12\n\nPrograms\n {2}node +\d+\.\d+/);
  t.match(out[0], /\nMissing\n {2}boots +package deb +boots things\n/);
  t.match(out[0], /\nThis machine can run tests\.$/);
});

t.test('checks the device of KVM, and boots a guest under it', async (t) => {
  const { host, bin } = fakeHost(t);
  const { report } = await doctor(host, bin);
  const text = (kvm: DoctorReport['kvm']) => renderDoctor({ ...report, kvm }, false);
  t.match(text({ state: 'absent' }), 'no /dev/kvm');
  t.match(text({ state: 'denied', remedy: 'join the group kvm' }), 'join the group kvm');
  t.match(
    text({ state: 'opens', trial: { usable: false, reason: 'the guest hangs' } }),
    'opens, but is not usable: the guest hangs',
  );
  const problem = { ...report, usable: false, problems: ['It burns'] };
  t.match(renderDoctor(problem, true), '\u001b[31mIt burns.\u001b[39m');
  t.notMatch(renderDoctor(problem, false), '\u001b');
});

t.test('checks the xfstests tree of --suite', async (t) => {
  const { host, bin } = fakeHost(t);
  const tree = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));
  // Only these programs are in PATH, whatever this machine has.
  for (const name of ['sh', 'setpriv', 'sleep']) {
    symlinkSync(findProgram(name) ?? '', join(bin, name));
  }
  const good = await doctor({ ...host, path: bin }, bin, tree);
  t.equal(good.code, 0);
  t.match(good.report.suite, { directory: tree, problem: null, unbuilt: { length: 0 } });
  t.strictSame(good.report.suite?.devices, [], 'no test of the stand-in needs further devices');
  const packages = good.report.suite?.missing.map((one) => one.package);
  t.ok(packages?.includes('fio'), 'with the package of a missing program');
  t.match(renderDoctor(good.report, false), /\nxfstests\n {2}tree +\S+, 20 tests\n/);
  const bad = await doctor(host, bin, join(bin, 'nowhere'));
  t.equal(bad.code, 1);
  t.match(bad.report, { usable: false, problems: [/there is no directory/] });
});
