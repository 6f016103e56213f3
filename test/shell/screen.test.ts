import t from 'tap';
import { LeaveKeys } from '../../cli/shell/leave.js';
import { Screen } from '../../cli/shell/screen.js';

const restored = (...pieces: string[]) => {
  const screen = new Screen();
  for (const piece of pieces) screen.watch(Buffer.from(piece, 'latin1'));
  return screen.restore();
};

t.test('switches off the modes that are still on', async (t) => {
  t.equal(restored('plain text'), '');
  t.equal(restored('\x1b[31mred'), '\x1b[0m\x0f');
  t.equal(restored('\x1b[?1049h\x1b[?25l'), '\x1b[?1049l\x1b[?25h\x1b[0m\x0f');
  t.equal(restored('\x1b[?1049h', '\x1b[?1049l'), '\x1b[0m\x0f');
  t.equal(restored('\x1b[?1000;1006h\x1b='), '\x1b[?1000l\x1b[?1006l\x1b>\x1b[0m\x0f');
  t.equal(restored('\x1b[2;20r'), '\x1b7\x1b[r\x1b8\x1b[0m\x0f');
  t.equal(restored('\x1b[2;20r\x1b[r'), '\x1b[0m\x0f');
  t.equal(restored('\x1b[?9999h'), '\x1b[0m\x0f', 'what we do not know we leave');
});

t.test('recognises a sequence that is cut into pieces', async (t) => {
  const text = 'a\x1b[?1049hb\x1b[?2004hc';
  for (let cut = 0; cut <= text.length; cut += 1) {
    t.equal(restored(text.slice(0, cut), text.slice(cut)), '\x1b[?1049l\x1b[?2004l\x1b[0m\x0f');
  }
});

t.test('restores the screen only once', async (t) => {
  const screen = new Screen();
  screen.watch(Buffer.from('\x1b[?25l'));
  t.not(screen.restore(), '');
  t.equal(screen.restore(), '');
});

t.test('recognises Ctrl-] three times within a second', async (t) => {
  const pressed = (...times: [string, number][]) => {
    const keys = new LeaveKeys();
    return times.some(([text, now]) => keys.typed(Buffer.from(text), now));
  };
  t.ok(pressed(['\x1d', 0], ['\x1d', 500], ['\x1d', 1000]));
  t.ok(pressed(['a\x1d\x1d\x1db', 0]));
  t.notOk(pressed(['\x1d', 0], ['\x1d', 500], ['\x1d', 1001]));
  t.ok(
    pressed(['\x1d', 0], ['\x1d', 900], ['\x1d', 1100], ['\x1d', 1200]),
    'of four the last three',
  );
  t.notOk(pressed(['\x1d\x1d', 0], ['a', 1], ['\x1d', 2]), 'with another key between');
});
