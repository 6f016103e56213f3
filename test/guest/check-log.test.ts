import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { recorded, recordedNames } from '../findings/rig.js';

/*
 * Of which checks the guest gathers evidence. These are its own scripts, with paths of the test's
 * directory, a check that prints a recorded log, and a channel that only notes what is sent.
 */

const SCRIPTS = fileURLToPath(new URL('../../guest-scripts', import.meta.url));

/** xfs_repair prints these of an image in a file, not of a device. */
const OF_A_FILE =
  /^(?:Cannot get host filesystem geometry|Repair may fail if there is|the image and the host).*\n/gm;
const E2FSCK_CLEAN = recorded('e2fsck-clean.log');
const XFS_CLEAN = recorded('xfs-repair-clean.log').replace(OF_A_FILE, '');
/** Damage, and exit code 0. */
const COUNTS = recorded('e2fsck-1.47.4-free-blocks-exit-0.log', 'check-logs');
/** e2fsck mentions this of many healthy files. */
const COULD_BE_SHORTER = E2FSCK_CLEAN.replace(
  /^Pass 2/m,
  'Inode 13 extent tree (at level 1) could be shorter.  Optimize? no\n\n$&',
);

const CHANNEL = `
declare -A UNIT=([IMAGE_BYTES]=1000)
event() { echo "event $*" >>ROOT/sent; }
ask() { echo "ask $*" >>ROOT/sent; }
send_file() { echo "file $1" >>ROOT/sent; }
reach_reporter() { :; }
without_channel() { "$@"; }
`;

/** Runs commands in a guest whose checks print the log and exit with the status; what is sent. */
function sent(t: Test, log: string, status: number, commands: string): string[] {
  const check = `#!/bin/sh\ncat "$ROOT/log"\nexit ${status}\n`;
  const root = t.testdir({
    log,
    sent: '',
    bin: { e2fsck: check, xfs_repair: check },
    unit: { checked: {}, 'image-bytes': '1000', seen: '' },
  });
  cpSync(SCRIPTS, root, { recursive: true });
  const moved = (text: string) =>
    text
      .replaceAll('/run/unit', `${root}/unit`)
      .replaceAll('. /daxrepro/', `. ${root}/`)
      .replaceAll('DAXREPRO=/daxrepro', `DAXREPRO=${root}`)
      .replaceAll('PATH=/usr/sbin:', `PATH=${root}/bin:/usr/sbin:`);
  for (const folder of ['lib', 'xfstests']) {
    for (const name of readdirSync(join(root, folder))) {
      const file = join(root, folder, name);
      writeFileSync(file, moved(readFileSync(file, 'utf8')));
    }
  }
  writeFileSync(join(root, 'lib/channel.sh'), CHANNEL.replaceAll('ROOT', root));
  // Under this name: the scripts tell a check of xfstests from a test by who started it.
  const script = join(root, 'check');
  writeFileSync(script, `chmod +x "$ROOT"/bin/*\n${commands}\n`);
  const PATH = `${root}/bin:${process.env['PATH']}`;
  const env = { ...process.env, ROOT: root, DAXREPRO: root, PATH, seqnum: 'generic/001' };
  const { stderr } = spawnSync('bash', [script], { env, encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return readFileSync(join(root, 'sent'), 'utf8').trim().split('\n');
}

const OURS = (type: string) => `
. "$ROOT/lib/channel.sh"
. "$ROOT/lib/unit.sh"
step() { :; }
FSTYP=${type}
check_device test /dev/pmem0
echo "suspicious: \${SUSPICIOUS:-no}" >>"$ROOT/sent"`;

t.test('our own check: no evidence of a clean one, of any other there is', async (t) => {
  const checked = (status: number) => [
    'file fsck-test',
    `event fsck name=test device=/dev/pmem0 status:=${status}`,
  ];
  const evidence = (type: string) => [
    `ask evidence test /dev/pmem0 ${t.testdirName}/unit/fsck-test ${type} 1000`,
    'suspicious: 1',
  ];
  for (const [log, type] of [
    [E2FSCK_CLEAN, 'ext4'],
    [COULD_BE_SHORTER, 'ext4'],
    [XFS_CLEAN, 'xfs'],
  ] as const) {
    t.strictSame(sent(t, log, 0, OURS(type)), [...checked(0), 'suspicious: no'], type);
    t.strictSame(sent(t, log, 1, OURS(type)), [...checked(1), ...evidence(type)], 'exit code 1');
  }
  t.strictSame(sent(t, COUNTS, 0, OURS('ext4')), [...checked(0), ...evidence('ext4')]);
  const quota = XFS_CLEAN.replace(/^Phase 7/m, 'user quota id 0 has bcount 1, expected 2\n$&');
  t.strictSame(sent(t, quota, 0, OURS('xfs')), [...checked(0), ...evidence('xfs')]);
  const unended = E2FSCK_CLEAN.trimEnd().replace(/.$/, 'x');
  t.strictSame(sent(t, unended, 0, OURS('ext4')), [...checked(0), ...evidence('ext4')]);
});

const XFSTESTS = (options: string) => `
export FSTYP=ext4
"$ROOT/xfstests/e2fsck" ${options} /dev/pmem0 >"$ROOT/printed"
cat "$ROOT/unit/seen" >>"$ROOT/sent"`;

t.test("xfstests' check: once for a device, and before a repair alone", async (t) => {
  const checks = (log: string, status: number, options = '-n -f') =>
    sent(t, log, status, XFSTESTS(options)).map((line) => line.split(' ').slice(0, 2).join(' '));
  t.strictSame(checks(E2FSCK_CLEAN, 0), ['event check']);
  t.strictSame(checks(COUNTS, 0), ['event check', 'ask evidence']);
  t.strictSame(checks(E2FSCK_CLEAN, 4), ['event check', 'ask evidence']);
  t.strictSame(checks(COUNTS, 1, '-y -f'), ['event check']);
  const again = `${XFSTESTS('-n -f')}${XFSTESTS('-n -f')}`;
  t.strictSame(
    sent(t, COUNTS, 0, again).filter((line) => line.startsWith('ask')).length,
    1,
    'the first time tells most',
  );
});

t.test('many tests in one guest: each with evidence of its own', async (t) => {
  const between = `
. "$ROOT/lib/channel.sh"
. "$ROOT/lib/xfstests-together.sh"
for name in take_output tell_xfstests prove is_mounted checked_by_xfstests clear_away step mounts_made; do
  eval "$name() { :; }"
done
mount_filesystem() { false; }
finish_test generic/001 generic/002 0
begin_test
ls "$ROOT/unit" >>"$ROOT/sent"`;
  const asked = (log: string) =>
    sent(t, log, 0, `(${XFSTESTS('-n -f')}\n)${between}`)
      .join('\n')
      .match(/^(?:ask \w+|evidence-\S*)/gm);
  t.strictSame(asked(COUNTS), ['ask evidence', 'ask unmounts']);
  t.equal(asked(E2FSCK_CLEAN), null);
});

t.test('a log in which the host finds something is never a clean check', async (t) => {
  const logs = ['logs', 'check-logs', 'pasted-logs'].flatMap((directory) =>
    recordedNames(directory).map((name) => ({ name, log: recorded(name, directory) })),
  );
  const found = logs.filter(({ log }) => {
    const { findings = [], unparsed = [] } = parseFsck(log) ?? {};
    return unparsed.length > 0 || findings.some(({ severity }) => severity !== 'notice');
  });
  t.ok(found.length > 30);
  const root = t.testdir(Object.fromEntries(found.map(({ name, log }) => [name, log])));
  const clean = '. "$0/lib/check-log.sh"; for log; do is_clean_check 0 "$log" && echo "$log"; done';
  const names = found.map(({ name }) => join(root, name));
  const { stdout, stderr } = spawnSync('bash', ['-c', clean, SCRIPTS, ...names], {
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.equal(stdout, '');
});
