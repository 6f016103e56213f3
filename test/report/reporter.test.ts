import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Unit } from '../../cli/plan/unit.js';
import { makeReporter } from '../../cli/report/reporter.js';
import { UNIT } from '../util/results.js';

/** A fake stream that keeps what is written. */
function fakeStream(terminal: { columns?: number } | undefined) {
  const written: string[] = [];
  const stream = {
    isTTY: terminal !== undefined,
    ...(terminal?.columns === undefined ? {} : { columns: terminal.columns }),
    write: (text: string) => written.push(text) > 0,
  } as unknown as NodeJS.WriteStream;
  return { stream, written, text: () => written.join('') };
}

const PLANNED = { fs: 'ext2', test: 'generic/002', variant: 'base' } as Unit;
const NASTY = 'x\x1b[2J\x1b]0;t\x07\r\u202e\x9b\ndaxrepro: pass';
const RAW = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202e]|\x1b(?!\[K)|\r(?!\x1b\[K)/;

/** Sets TERM until the test ends. */
function withTerm(t: Test, value: string) {
  const before = process.env['TERM'];
  process.env['TERM'] = value;
  t.teardown(() => {
    if (before === undefined) delete process.env['TERM'];
    else process.env['TERM'] = before;
  });
}

t.test('prints plain lines if there is no terminal', (t) => {
  const { stream, text } = fakeStream(undefined);
  const reporter = makeReporter(stream);
  reporter.expect(2);
  reporter.progress({ type: 'stage', text: 'making the image' });
  reporter.progress({ type: 'detail', text: '3 of 5' });
  reporter.progress({ type: 'note', text: 'using emulation' });
  reporter.progress({ type: 'note', text: 'using emulation' });
  reporter.unitStarted(PLANNED, 0);
  reporter.unitStep(PLANNED, 0, 'mkfs');
  reporter.unitFinished(UNIT, 0);
  reporter.unitFinished({ ...UNIT, attempt: 2, verdict: 'fail', reason: NASTY }, 1);
  reporter.end();
  t.equal(
    text(),
    [
      'daxrepro: making the image',
      'daxrepro: using emulation',
      'daxrepro: [1/2] pass ext2 generic/002 in 1.2 s',
      'daxrepro: [2/2] fail ext2 generic/002 (attempt 2) in 1.2 s: x\\x1b[2J\\x1b]0;t\\x07\\r\\u{202e}\\x9b\\ndaxrepro: pass\n',
    ].join('\n'),
  );
  t.end();
});

t.test('estimates the duration if earlier runs are known', (t) => {
  const { stream, text } = fakeStream(undefined);
  const reporter = makeReporter(stream);
  reporter.expect(3, { seconds: [undefined, undefined, undefined], jobs: 1 });
  t.equal(text(), '');
  reporter.expect(3, { seconds: [60, undefined, 120], jobs: 2 });
  t.equal(text(), 'daxrepro: 3 units, about 2 min 15 s; 1 of them never ran here\n');
  t.end();
});

t.test('leaves the result of a single unit to the summary', (t) => {
  const { stream, text } = fakeStream(undefined);
  const reporter = makeReporter(stream);
  reporter.expect(1);
  reporter.unitFinished(UNIT, 0);
  t.equal(text(), '');
  t.end();
});

t.test('prints plain lines on a dumb terminal', (t) => {
  withTerm(t, 'dumb');
  const { stream, text } = fakeStream({ columns: 80 });
  const reporter = makeReporter(stream);
  reporter.progress({ type: 'stage', text: 'working' });
  reporter.end();
  t.equal(text(), 'daxrepro: working\n');
  t.end();
});

t.test('overwrites one line on a terminal', async (t) => {
  withTerm(t, 'xterm');
  const { stream, text, written } = fakeStream({ columns: 40 });
  const reporter = makeReporter(stream);
  reporter.expect(2);
  reporter.progress({ type: 'stage', text: 'making the image' });
  await sleep(250);
  t.match(text(), /^(\r\x1b\[K\d+\.\d s {2}making the image)+$/);
  reporter.unitStarted(PLANNED, 0);
  reporter.unitStep(PLANNED, 0, `a\n${NASTY}`);
  await sleep(250);
  t.match(written.at(-1), /^\r\x1b\[K\d+\.\d s {2}0\/2 {2}ext2 generic\/002: a\\n/);
  t.ok(
    written.every((piece) => piece.replace('\r\x1b[K', '').length < 40),
    'no line that would wrap',
  );
  reporter.unitFinished({ ...UNIT, verdict: 'fail', reason: NASTY }, 0);
  await sleep(250);
  t.match(written.at(-1), /1\/2, 1 failed/);
  t.equal(text().split('\n').length, 2, 'one line of its own, for the unit');
  t.notMatch(text(), RAW);
  reporter.end();
  const { length } = written;
  t.equal(written.at(-1), '\r\x1b[K', 'the line is gone');
  await sleep(250);
  t.equal(written.length, length, 'and nothing comes after the end');
});

t.test('assumes a width if the terminal has none', async (t) => {
  withTerm(t, 'xterm');
  const { stream, written } = fakeStream({});
  const reporter = makeReporter(stream);
  reporter.progress({ type: 'stage', text: 'x'.repeat(500) });
  await sleep(150);
  reporter.end();
  t.ok(written.every((piece) => piece.replace('\r\x1b[K', '').length < 80));
});
