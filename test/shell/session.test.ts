import { PassThrough } from 'node:stream';
import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import type { Guest } from '../../cli/guest/guest.js';
import { encodeFrame } from '../../cli/shell/frames.js';
import { Session } from '../../cli/shell/session.js';

/** Messages at a prompt that no longer responds. */

async function interactive(gdb?: object) {
  const errors = new PassThrough({ encoding: 'utf8' });
  const input = Object.assign(new PassThrough(), { setRawMode: () => {} });
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const session = new Session({
    command: undefined,
    look: false,
    gdb: gdb as never,
    streams: { input, output: new PassThrough(), errors },
    banner: () => '',
    waiting: () => '',
    onBegin: () => begin(),
    leave: () => {},
  });
  t.teardown(() => session.close());
  const terminal = new PassThrough();
  await session.begin({ terminal } as unknown as Guest);
  const { observer } = session;
  observer.silent?.(15);
  observer.event({ event: 'symbols', module: '', sections: '', kernelText: '' });
  terminal.write(encodeFrame('b'));
  await begun;
  return { session, observer, said: () => errors.read() as string | null };
}

t.test('reports that a guest falls silent, and that it responds again', async (t) => {
  const { session, observer, said } = await interactive();
  t.equal(session.limits.notice, 15);
  t.equal(said(), null, 'nothing before there is a prompt');
  observer.silent?.(15);
  t.match(said(), /no sign of life for 15 s: wait, or Ctrl-\] three times ends it\r\n$/);
  observer.silent?.(undefined);
  t.match(said(), /the guest responds again\r\n$/);
});

t.test('reports a panic', async (t) => {
  const { observer, said } = await interactive();
  const panic = { tool: 'kernel', kind: 'panic', severity: 'corruption', message: 'it \x1b[2J' };
  observer.finding(panic as unknown as Finding);
  t.match(
    said(),
    /^\rthe kernel: it \\x1b\[2J\r\n\rthe guest is dead: Ctrl-\] three times ends it\r\n$/,
  );
});

t.test('does not warn about a guest that a debugger stopped', async (t) => {
  const { session } = await interactive({ gdb: {}, wait: false });
  t.equal(session.limits.notice, undefined);
});
