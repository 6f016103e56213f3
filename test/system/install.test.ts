import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exitCodeOf, formatFailure, type Outcome } from '../../cli/outcome.js';
import type { ProgressEvent } from '../../cli/progress.js';
import { ensureSystem } from '../../cli/system/install.js';
import { ARCH, BRING_BOTH, FEDORA, fakeHost } from './host.js';

const INSTALL = 'noninteractive install -y --no-install-recommends deb deb-build';
const UPDATE = 'noninteractive update';

function recorder() {
  const events: ProgressEvent[] = [];
  return {
    progress: (event: ProgressEvent) => void events.push(event),
    text: () => events.map(({ text }) => text).join('\n'),
  };
}

function failureText(outcome: Outcome<void>): string {
  return outcome.ok ? '' : `${exitCodeOf(outcome.failure)} ${formatFailure(outcome.failure)}`;
}

t.test('does nothing if nothing is missing', async (t) => {
  const { host, program, calls } = fakeHost(t);
  const { progress, text } = recorder();
  program('boots', '');
  t.ok((await ensureSystem(['run'], { progress, host })).ok);
  t.same(calls(), []);
  t.equal(text(), '');
});

t.test('lists what it installs and why, and installs it', async (t) => {
  const { host, calls } = fakeHost(t);
  const { progress, text } = recorder();
  t.ok((await ensureSystem(['run', 'build'], { progress, host })).ok);
  t.match(text(), /apt-get:\n {2}deb +boots things \(boots\)\n {2}deb-build +builds things/);
  t.same(calls(), [INSTALL]);
});

t.test('updates package lists that are missing or old', async (t) => {
  const { host, calls, lists, bin } = fakeHost(t);
  const { progress } = recorder();
  const old = new Date(Date.now() - 3 * 24 * 3600 * 1000);
  utimesSync(lists, old, old);
  t.ok((await ensureSystem(['run', 'build'], { progress, host })).ok);
  t.same(calls(), [UPDATE, INSTALL]);
  rmSync(join(lists, 'a_Packages.lz4'));
  rmSync(join(bin, 'builds'));
  t.ok((await ensureSystem(['run', 'build'], { progress, host })).ok);
  t.equal(calls().length, 4);
});

t.test("reports the end of apt's output after failing with fresh lists", async (t) => {
  const { host, calls } = fakeHost(t, { aptGet: 'echo "E: no such thing"; exit 100' });
  const { progress } = recorder();
  const text = failureText(await ensureSystem(['run', 'build'], { progress, host }));
  t.match(text, /^3 .*exit code 100 while it installed deb, deb-build/);
  t.match(text, '  | E: no such thing');
  t.same(calls(), [INSTALL, UPDATE, INSTALL]);

  const again = failureText(await ensureSystem(['run', 'build'], { progress, host }));
  t.equal(again, text, 'the next variant has the same failure');
  t.same(calls(), [INSTALL, UPDATE, INSTALL], 'and apt is not tried again');
});

t.test('waits for a lock', async (t) => {
  const held = `
if [ ! -e "$0.second" ]; then
  : >"$0.second"
  echo 'E: Could not get lock /var/lib/dpkg/lock'
  exit 100
fi
${BRING_BOTH}`;
  const { host, calls } = fakeHost(t, { aptGet: held });
  const { progress, text } = recorder();
  t.ok((await ensureSystem(['run', 'build'], { progress, host })).ok);
  t.same(calls(), [INSTALL, INSTALL]);
  t.match(text(), 'waiting for another installation');
});

t.test('succeeds if another set-up installed everything meanwhile', async (t) => {
  const { host } = fakeHost(t, { aptGet: `${BRING_BOTH}\nexit 1` });
  t.ok((await ensureSystem(['run', 'build'], { ...recorder(), host })).ok);
});

t.test('fails if apt does not provide the programs', async (t) => {
  const { host } = fakeHost(t, { aptGet: ':' });
  const text = failureText(await ensureSystem(['run'], { ...recorder(), host }));
  t.match(text, 'but boots cannot be found');
});

t.test('uses sudo', async (t) => {
  const asks = { root: false, terminal: true, sudo: 'exec "$@"' };
  const { host, calls } = fakeHost(t, asks);
  t.ok((await ensureSystem(['run', 'build'], { ...recorder(), host })).ok);
  t.match(calls()[0], /^sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get/);
  t.equal(calls()[1], INSTALL);
});

t.test('requires sudo without a password if there is no terminal', async (t) => {
  const silent = fakeHost(t, { root: false, sudo: '[ "$1" = -n ] && shift && exec "$@"' });
  t.ok((await ensureSystem(['run', 'build'], { ...recorder(), host: silent.host })).ok);
  t.equal(silent.calls()[0], 'sudo -n true');
  const asking = fakeHost(t, { root: false, sudo: 'exit 1' });
  const text = failureText(await ensureSystem(['run'], { ...recorder(), host: asking.host }));
  t.match(text, /^3 .*lacks boots; sudo needs a password/);
  t.match(text, 'Install them: sudo apt-get install -y --no-install-recommends deb.');
  t.same(asking.calls(), ['sudo -n true']);
});

t.test('reports that there is neither root nor sudo', async (t) => {
  const { bin, host, calls } = fakeHost(t, { root: false });
  const text = failureText(
    await ensureSystem(['run'], { ...recorder(), host: { ...host, path: bin } }),
  );
  t.match(text, 'there is no sudo');
  t.same(calls(), []);
});

t.test('names the packages of other distributions', async (t) => {
  const fedora = fakeHost(t, { distribution: FEDORA });
  const text = failureText(await ensureSystem(['run'], { ...recorder(), host: fedora.host }));
  t.match(text, /^3 .*daxrepro cannot install packages on Fedora 43/);
  t.match(text, 'Install them: dnf install rpm.');
  const arch = fakeHost(t, { distribution: ARCH });
  t.match(
    failureText(await ensureSystem(['run'], { ...recorder(), host: arch.host })),
    /\(no package\) +boots things[\s\S]*Install the programs listed above/,
  );
  t.same(fedora.calls(), []);
});

t.test('can be interrupted', async (t) => {
  const { host } = fakeHost(t, { aptGet: 'exec sleep 20' });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const outcome = await ensureSystem(['run'], {
    ...recorder(),
    host,
    signal: controller.signal,
  });
  t.match(failureText(outcome), /^130 /);
});
