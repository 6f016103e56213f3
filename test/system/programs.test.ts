import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  findProgram,
  missingRequirements,
  systemPath,
  xfstestsLacks,
} from '../../cli/system/programs.js';
import { ALL_PARTS, partsToInstall, REQUIREMENTS } from '../../cli/system/requirements.js';
import { fakeHost } from './host.js';

t.test('puts the sbin directories last, and once', async (t) => {
  t.equal(systemPath('/usr/bin:/sbin'), '/usr/bin:/sbin:/usr/local/sbin:/usr/sbin');
});

t.test('finds executable files only', async (t) => {
  const top = t.testdir({ a: { text: '', directory: {} }, b: { text: '', real: '' } });
  chmodSync(join(top, 'b/text'), 0o755);
  const path = `${top}/none::${top}/a:${top}/b:${top}/a/text`;
  t.equal(findProgram('text', path), join(top, 'b/text'));
  t.equal(findProgram('directory', path), undefined);
  t.equal(findProgram('real', path), undefined);
});

t.test('checks the requirements of each part, files included', async (t) => {
  const { host, program } = fakeHost(t);
  program('boots', '');
  const missing = missingRequirements(['run', 'build'], host.path, host.requirements);
  t.same(
    missing.map(({ names }) => names),
    [['builds']],
  );
  const [first] = host.requirements;
  const file = { ...(first as (typeof REQUIREMENTS)[number]), file: '/none' };
  t.same(missingRequirements(['run'], host.path, [file])[0]?.names, ['/none']);
});

t.test('has complete requirements', async (t) => {
  for (const { part, programs, file, purpose, packages } of REQUIREMENTS) {
    // Users without semantic patches need no spatch.
    t.ok(
      [...partsToInstall('all'), 'semantic-patches', 'kernel-build', 'xfstests', 'cxl'].includes(
        part,
      ),
    );
    t.ok(programs.length > 0 || file !== undefined, purpose);
    t.ok(packages.debian, purpose);
  }
});

t.test("installs our tests' requirements only for those who run them", async (t) => {
  t.same(partsToInstall('run'), ALL_PARTS);
  t.same(partsToInstall('all'), [...ALL_PARTS, 'test']);
});

t.test('lists missing programs of xfstests by package', async (t) => {
  const lacks = xfstestsLacks('/none');
  t.match(lacks, /\bfuser and killall \(package psmisc\)/);
  t.match(lacks, /\bquota and quotacheck \(package quota\)/);
  t.match(xfstestsLacks('/none', 'arch'), /quotacheck \(package quota-tools\)/);
});
