import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { RunResult } from '../../cli/results/run-result.js';
import { Terminal } from '../util/terminal.js';
import { daxrepro } from './daxrepro.js';

// A user's work in a guest, typed into a real terminal.
t.setTimeout(10 * 60 * 1000);

const launcher = fileURLToPath(new URL('../../daxrepro', import.meta.url));
const PROMPT = /ext2 6\.1\.\S+ \S+ # /;

function result(out: string): RunResult {
  const [run = ''] = readdirSync(out).filter((name) => !name.startsWith('terminal'));
  return JSON.parse(readFileSync(join(out, run, 'result.json'), 'utf8'));
}

/**
 * Presses a key until it has an effect: the shell shows a command before the command has the
 * terminal.
 */
async function press(terminal: Terminal, key: string, what: RegExp): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    terminal.type(key);
    try {
      await terminal.see(what, 2000);
      return;
    } catch {}
  }
  await terminal.see(what);
}

t.test('gives a shell on a terminal', async (t) => {
  const out = t.testdir();
  const terminal = new Terminal([launcher, 'shell', 'ext2', '--out', out], {
    directory: out,
    env: { TERM: 'xterm' },
  });
  t.teardown(() => terminal.close());
  await terminal.see('Ctrl-] three times');
  await terminal.see(PROMPT);
  t.match(terminal.screen, /DAX {6}proven by mount option and statx of a fresh file/);

  terminal.type('stty size; echo $TERM; tput bold | od -c; tty\r');
  await terminal.see(/33 101\r\n/);
  await terminal.see(/xterm\r\n/);
  await terminal.see(/033 {3}\[ {3}1 {3}m/);
  await terminal.see('/dev/pts/');
  await terminal.see(PROMPT);
  terminal.resize(40, 120);
  terminal.type('stty size\r');
  await terminal.see(/40 120\r\n/);

  terminal.type('sleep 1000\r');
  await terminal.see('sleep 1000\r\n');
  await press(terminal, '\x1a', /Stopped.*sleep 1000/);
  terminal.type('fg\r');
  await terminal.see(/sleep 1000\r\n/);
  await press(terminal, '\x03', PROMPT);
  terminal.type('echo status $?\r');
  await terminal.see('status 130');

  terminal.type('findmnt -no OPTIONS $TEST_DIR; findmnt -no SOURCE,OPTIONS $SCRATCH_MNT\r');
  await terminal.see(/rw.*,dax\r\n/);
  await terminal.see(/\/dev\/pmem1.*,dax\r\n/);
  terminal.type('mkdir -p $TEST_DIR/a/b; for n in 1 2 3; do echo $n >$TEST_DIR/a/b/$n; done\r');
  terminal.type('sleep 1000 & disown\r');
  await terminal.see(/\[1\] \d+\r\n/);
  await terminal.see(PROMPT);
  terminal.type('\x04');
  await terminal.see(/PASS {5}ext2 shell/);
  t.equal(await terminal.exit, 0, 'exit code');
  t.equal(terminal.settings('after'), terminal.settings('before'), 'the terminal is restored');
  const { units } = result(out);
  t.match(units, [{ verdict: 'pass', dax: { proven: true, driver: 'ext2' } }]);
});

t.test('finds what a command does to a file system', async (t) => {
  const out = join(t.testdir({ first: {}, second: {} }), 'first');
  const command = 'umount $TEST_DIR; debugfs -w -R "clri <2>" $TEST_DEV; echo done; exit 3';
  const ran = await daxrepro(['shell', 'ext2', '--run', command], out);
  t.equal(ran.exitCode, 1);
  t.equal(ran.stdout, 'done', 'nothing else is there');
  t.match(ran.stderr, /FAIL {5}ext2 shell/);
  t.match(result(out), {
    shell: { status: 3 },
    units: [{ verdict: 'fail', images: [{ file: /image-test/ }] }],
  });

  t.comment('and its image is examined');
  const looked = await daxrepro(
    ['shell', '--from', join(out, readdirSync(out)[0] ?? ''), '--run', 'e2fsck -fn $TEST_DEV'],
    join(out, '../second'),
  );
  t.match(looked, { exitCode: 1, stdout: /Root inode/ });
});
