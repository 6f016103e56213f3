import { pathToFileURL } from 'node:url';
import t from 'tap';
import { setupCommand } from '../../cli/commands/setup.js';
import type { Host } from '../../cli/system/install.js';
import { ALL_PARTS } from '../../cli/system/requirements.js';
import { FEDORA, fakeHost } from '../system/host.js';

async function setup(host: Host, options: { dryRun?: boolean } = {}, root?: URL) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await setupCommand(options, {
    host,
    parts: ALL_PARTS,
    ...(root ? { root } : {}),
    print: (text) => out.push(text),
    printError: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

t.test('installs all parts, and reports on stderr', async (t) => {
  const { host } = fakeHost(t);
  const { code, out, err } = await setup(host);
  t.equal(code, 0);
  t.equal(out, '');
  t.match(err, /Installing with apt-get:\n {2}deb [\s\S]*everything is installed/);
  t.match((await setup(host)).err, /^daxrepro: everything is installed$/);
});

t.test('lists packages in a dry run, and does not start apt-get', async (t) => {
  const { host, calls } = fakeHost(t);
  const { code, out } = await setup(host, { dryRun: true });
  t.equal(code, 0);
  t.match(out, /would be installed with apt-get:\n {2}deb +boots things/);
  t.match(out, 'The command: apt-get install -y --no-install-recommends deb deb-build');
  t.same(calls(), []);
});

t.test('lists npm packages in a dry run in a checkout', async (t) => {
  const { host } = fakeHost(t);
  const root = t.testdir({ 'package-lock.json': '' });
  const { out } = await setup(host, { dryRun: true }, pathToFileURL(`${root}/`));
  t.match(
    out,
    /^npm packages: those that daxrepro needs are installed\. Those for the tests are not/,
  );
});

t.test('names the packages on systems other than Debian', async (t) => {
  const { host, program } = fakeHost(t, { distribution: FEDORA });
  const { code, err } = await setup(host);
  t.equal(code, 3);
  t.match(err, 'dnf install rpm');
  t.equal((await setup(host, { dryRun: true })).code, 0);
  program('boots', '');
  program('builds', '');
  t.equal((await setup(host)).code, 0);
});
