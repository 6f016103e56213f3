import { PassThrough } from 'node:stream';
import { mock } from 'node:test';
import t from 'tap';
import { withPatience } from '../../cli/report/patience.js';

/** A fake stream that keeps what is written. @param isTTY whether it claims to be a terminal */
function stream(isTTY: boolean) {
  const kept = { text: '' };
  const made = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  made.on('data', (chunk) => {
    kept.text += chunk;
  });
  return { stream: made as unknown as NodeJS.WriteStream, kept };
}

for (const isTTY of [true, false]) {
  t.test(isTTY ? 'prints a message on a terminal' : 'prints nothing into a pipe', async (t) => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    t.teardown(() => mock.timers.reset());
    const { stream: err, kept } = stream(isTTY);
    let done = (_: string) => {};
    const result = withPatience(
      () => 'reading',
      () =>
        new Promise<string>((resolve) => {
          done = resolve;
        }),
      err,
    );
    mock.timers.tick(1900);
    t.equal(kept.text, '', 'nothing for what is quick');
    mock.timers.tick(100);
    // A timer paints the line.
    for (let times = 0; times < 5; times += 1) mock.timers.tick(100);
    done('read');
    t.equal(await result, 'read');
    if (isTTY) t.match(kept.text, /reading.*\r\x1b\[K$/s, 'the line goes when it is over');
    else t.equal(kept.text, '');
  });
}
