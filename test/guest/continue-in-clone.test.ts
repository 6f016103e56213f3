import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { EventReader, type GuestEvent } from '../../cli/guest/protocol.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, goodRecord, proof } from '../verdict/records.js';

/*
 * What a guest does after it was saved with its file system mounted. These are its own scripts, with
 * a host that answers at once, and without devices.
 */

const SCRIPTS = fileURLToPath(new URL('../../guest-scripts', import.meta.url));

const numbers = (event: ReturnType<typeof proof>) =>
  JSON.stringify(event, (_, value) => (typeof value === 'number' ? String(value) : value));

/** Everything that needs a kernel, and a reporter with a good look. */
const WITHOUT_A_KERNEL = `
CHANNEL=1 TEST_DEV=/dev/pmem0 SCRATCH_DEV=/dev/pmem1 REQUESTS=0
for name in make_filesystem mount_filesystem unmount_filesystem is_mounted; do
	eval "$name() { :; }"
done
module_references() { REPLY=0; }
load_module() { event module name=ext4 sha256= origin=kernel; }
identity() { event "$1" release=6.1.0-56-amd64 bootId=x; }
step() { event step "name=$1"; }
run_test() { event test status:=0; }
check_device() { event fsck name=test device=/dev/pmem0 status:=0; }
kernel_log() { :; }
name_additional() { :; }
ask() {
	case $1 in
	prove) [[ $2 == before ]] && echo '${numbers(proof('ext4', 'before'))}' || echo '${numbers(proof('ext4', 'after'))}' ;;
	refresh) [[ $2 != fails ]] || { REPLY='settimeofday: refused'; return 1; } ;;
	esac
}
UNIT=([FS]=ext4 [MOUNT_OPTIONS]=dax=always [CLONES]=1 [CLOCK]=1)
wait_for_unit() {
	UNIT=([FS]=ext4 [MOUNT_OPTIONS]=dax=always [CLOCK]=2)
	. "$DAXREPRO/request"
}
run_unit
event finished
`;

interface Ran {
  /** Before and after the guest was saved. */
  before: GuestEvent[];
  after: GuestEvent[];
}

/** @param change of guest-scripts/lib/unit.sh; `request`: what differs in the clone's request */
function run(t: Test, { change = (text: string) => text, request = '' } = {}): Ran {
  const root = t.testdir({ request, run: {} });
  cpSync(SCRIPTS, root, { recursive: true });
  const file = join(root, 'lib/unit.sh');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, change(text).replaceAll('/run/unit', `${root}/run`));
  const script = `export DAXREPRO=${root}\n. ${root}/lib/channel.sh\n. ${file}\n${WITHOUT_A_KERNEL}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script]);
  const events = new EventReader().push(stdout).map((received) => {
    if (!received.ok || !('event' in received))
      throw new Error(`${JSON.stringify(received)}${stderr}`);
    return received.event;
  });
  const saved = events.findIndex(({ event }) => event === 'mounted');
  return { before: events.slice(0, saved), after: events.slice(saved + 1) };
}

/** The verdict on the clone, whose record has the module's event of the guest that was saved. */
function verdictOn({ before, after }: Ran) {
  const modules = before.filter(({ event }) => event === 'module');
  const record = { ...goodRecord('ext4'), clonedMounted: true, events: [...modules, ...after] };
  return judge(record, expectation('ext4'));
}

const names = (events: readonly GuestEvent[]) =>
  events.map((event) =>
    event.event === 'step'
      ? `step ${event.name}`
      : event.event === 'proof'
        ? `proof ${event.when}`
        : event.event,
  );

t.test('a clone says what it is, looks, and runs the test', async (t) => {
  const ran = run(t);
  t.same(names(ran.before), [
    ...['begin', 'step load-module', 'module', 'step mkfs', 'step mount', 'proof before'],
  ]);
  t.same(names(ran.after), [
    ...['begin', 'step look', 'proof before', 'step test', 'test', 'step prove', 'proof after'],
    ...['step unmount', 'fsck', 'finished'],
  ]);
  t.match(verdictOn(ran), { verdict: 'pass', dax: { proven: true } });
});

t.test('a guest that skips a look in the clone passes nothing', async (t) => {
  const look = '\tprove before "$TEST_DEV" "$TEST_DIR"\n';
  const lastLook = (text: string) => text.lastIndexOf(look);
  const without = (text: string) =>
    text.slice(0, lastLook(text)) + text.slice(lastLook(text) + look.length);
  t.not(run(t, { change: without }).after.length, run(t).after.length, 'the look is gone');
  t.match(verdictOn(run(t, { change: without })), { verdict: 'error', dax: { proven: false } });

  const after = (text: string) => text.replace('prove after "$TEST_DEV" "$TEST_DIR"', ':');
  t.match(verdictOn(run(t, { change: after })), { verdict: 'error' }, 'after the test');

  const begin = (text: string) => {
    const at = text.indexOf('continue_in_clone() {');
    return text.slice(0, at) + text.slice(at).replace('\tidentity begin\n', '');
  };
  t.match(verdictOn(run(t, { change: begin })), { verdict: 'error', dax: { proven: false } });
});

t.test('a look from before the clone began counts for nothing', async (t) => {
  const { before, after } = run(t);
  const withoutLook = after.filter((event) => event.event !== 'proof' || event.when !== 'before');
  const early = [...before, ...withoutLook];
  t.match(verdictOn({ before: [], after: early }), { verdict: 'error', dax: { proven: false } });
});

t.test('a clone runs no test with another clock, file system or options', async (t) => {
  for (const [request, reason] of [
    ['UNIT[CLOCK]=fails', /refresh: settimeofday: refused/],
    ['UNIT[FS]=xfs', /look: the file system was made and mounted for another unit/],
    ['UNIT[MKFS_OPTIONS]="-O quota"', /for another unit/],
    ['UNIT[MOUNT_OPTIONS]=dax=never', /for another unit/],
  ] as const) {
    const ran = run(t, { request });
    t.notOk(
      ran.after.some(({ event }) => event === 'test'),
      request,
    );
    t.match(verdictOn(ran), { verdict: 'error', reason }, request);
  }
});
