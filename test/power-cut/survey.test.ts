import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BrokenFile } from '../../cli/power-cut/broken-file.js';
import { followEvents, type PowerCutEvent, readEvents } from '../../cli/power-cut/events.js';
import { guaranteesOf } from '../../cli/power-cut/guarantees.js';
import { surveyCuts } from '../../cli/power-cut/survey.js';

// What is known from the plugin's events before any image is examined.

const COUNTERS = { stores: 9, writeBacks: 5, fences: 3, requests: 0, untranslated: 0 };
const MARK = { event: 'promise', cpu: 0 } as const;
const promise = (value: object) => ({ ...MARK, text: JSON.stringify(value) });
const FSYNC = promise({
  ...{ kind: 'promise', by: 'fsync', file: 1, name: 'a', size: 1, data: [[0, 1, 17]] },
  checksum: '0123456789abcdef',
});
const CREATE = promise({ kind: 'create', name: 'a', file: 1 });
const OPEN = {
  ...{ event: 'open', version: 1, seed: 1 },
  ranges: [{ start: 4096, size: 8192, flush: 'instructions' }],
};
const begin = (label: string) => ({ event: 'begin', label, requests: 0 });
const STOP = { event: 'stop', label: '', counters: COUNTERS };
const CALLS = promise({ kind: 'calls', seen: 1, failed: 0, missed: 0 });
const RETURN = {
  ...{ event: 'return', cpu: 0, known: true, lost: 0 },
  text: JSON.stringify({
    ...{ kind: 'call', by: 'fsync', device: 0, inode: 12, generation: 7, from: 0, to: 4096 },
    ...{ size: 4096, blocks: 8, links: 1, kept: true, unchanged: true, program: 'x', path: '/f' },
  }),
};

function survey(t: Test, ...events: object[]) {
  const directory = t.testdir({});
  writeFileSync(join(directory, 'base-0.img'), Buffer.alloc(8192));
  const guarantees = guaranteesOf('ext4', { mkfsOptions: '', mountOptions: '' });
  if (!guarantees) throw new Error('no guarantees');
  const numbered = events.map((event, index) => ({ sequence: index + 1, ...event }));
  return surveyCuts(
    directory,
    numbered as PowerCutEvent[],
    { fs: 'ext4', guarantees },
    async () => {},
  );
}

t.test('promises that a test announces, to its end', async (t) => {
  const told = await survey(t, OPEN, begin(''), CREATE, FSYNC, STOP);
  t.match(told, { promises: 1, problem: undefined, counters: COUNTERS });
});

t.test('sync calls that the kernel reports, to their end', async (t) => {
  const seen = await survey(t, OPEN, begin('calls'), RETURN, CALLS, STOP);
  t.match(seen, { promises: 1, problem: undefined, counters: COUNTERS, calls: { seen: 1 } });
});

t.test('power that is cut no more leaves promises that nobody verifies', async (t) => {
  for (const [what, problem] of [
    ['max-cuts', /^after 0 power cuts there were as many as there may be/],
    ['max-bytes', /^after 0 power cuts their images filled the room that they may take/],
  ] as const) {
    const told = await survey(t, OPEN, begin(''), CREATE, { event: 'limit', what }, FSYNC, STOP);
    t.match(told, { promises: 1, problem, counters: COUNTERS });
    const seen = await survey(t, OPEN, begin('calls'), { event: 'limit', what }, CALLS, STOP);
    t.match(seen, { problem });
  }
});

t.test('a test that did not announce its end is not counted', async (t) => {
  const cut = await survey(t, OPEN, begin(''), CREATE, FSYNC, { ...STOP, event: 'end' });
  t.match(cut, { promises: 1, counters: undefined });
});

t.test('a kernel that did not say how many calls it missed proves nothing', async (t) => {
  const seen = await survey(t, OPEN, begin('calls'), RETURN, STOP);
  t.match(seen, { problem: /did not say whether it missed sync calls/ });
});

t.test('events of which one is missing', async (t) => {
  const directory = t.testdir({});
  mkdirSync(directory, { recursive: true });
  const write = (...numbers: number[]) =>
    writeFileSync(
      join(directory, 'events.jsonl'),
      numbers.map((sequence) => `${JSON.stringify({ ...STOP, sequence })}\n`).join(''),
    );
  write(1, 2, 3);
  t.equal((await readEvents(directory)).length, 3);
  for (const numbers of [[2], [1, 3], [1, 1], [1, 2, 4]]) {
    write(...numbers);
    const error = await readEvents(directory).catch((error: unknown) => error);
    t.ok(error instanceof BrokenFile, numbers.join());
  }
  write(1, 3);
  const followed = followEvents(directory, Promise.resolve());
  await followed.next();
  await t.rejects(followed.next(), { message: /event 2 of .* is missing/ });
});
