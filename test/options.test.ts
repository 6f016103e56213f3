import t from 'tap';
import { parseChoice, parseCount, parseSeconds, parseSize } from '../cli/options.js';

const MIB = 2 ** 20;

t.test('parses sizes, rounded up to multiples of 2 MiB', (t) => {
  const sizes: [string, number][] = [
    ['256M', 256 * MIB],
    ['256m', 256 * MIB],
    ['256MiB', 256 * MIB],
    ['256MB', 256 * MIB],
    ['1G', 1024 * MIB],
    ['1.5G', 1536 * MIB],
    ['3M', 4 * MIB],
    [`${2 * MIB + 1}`, 4 * MIB],
    ['1', 2 * MIB],
    [' 16M ', 16 * MIB],
  ];
  for (const [text, bytes] of sizes)
    t.strictSame(parseSize(text), { ok: true, value: bytes }, text);
  for (const text of [
    '',
    'M',
    '12Q',
    '12iB',
    '1..5G',
    '-1',
    '+1',
    '1e9',
    '0x10',
    '0',
    '0M',
    '1 G',
    '1G2M',
    '1GG',
    '९',
    '9'.repeat(400),
    '99999999T',
  ]) {
    t.match(parseSize(text), { ok: false, failure: { kind: 'usage', remedy: /256M/ } }, text);
  }
  t.end();
});

t.test('times', (t) => {
  for (const [text, seconds] of [
    ['1', 1],
    ['90s', 90],
    ['5m', 300],
    ['1h', 3600],
    ['1.5', 1.5],
    ['336h', 14 * 24 * 3600],
  ] as const) {
    t.strictSame(parseSeconds(text), { ok: true, value: seconds }, text);
  }
  for (const text of [
    '',
    '0',
    '0.5',
    '-1',
    '1d',
    '5 m',
    '1e3',
    'Infinity',
    'NaN',
    '337h',
    '9'.repeat(400),
  ]) {
    t.match(parseSeconds(text), { ok: false, failure: { kind: 'usage' } }, text);
  }
  t.end();
});

t.test('counts', (t) => {
  t.strictSame(parseCount('--jobs', '3', 1, 5), { ok: true, value: 3 });
  for (const text of ['', '0', '6', '-1', '1.0', '0x2', '1e0', 'two', '9'.repeat(400)]) {
    t.match(
      parseCount('--jobs', text, 1, 5),
      { ok: false, failure: { kind: 'usage', message: /--jobs .* from 1 to 5/ } },
      text,
    );
  }
  t.end();
});

t.test('accepts exactly the given choices', (t) => {
  t.strictSame(parseChoice('--x', 'one', ['one', 'two']), { ok: true, value: 'one' });
  for (const text of ['', 'On', 'ONE', 'one ', 'toString', '__proto__']) {
    t.match(
      parseChoice('--x', text, ['one', 'two']),
      { ok: false, failure: { kind: 'usage', remedy: /one, two/ } },
      text,
    );
  }
  t.end();
});
