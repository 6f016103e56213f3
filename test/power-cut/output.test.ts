import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type CutEvent, readEvents } from '../../cli/power-cut/events.js';
import { readLost } from '../../cli/power-cut/lost.js';
import { Media, writePages } from '../../cli/power-cut/media.js';
import { powerCutArguments } from '../../cli/power-cut/plugin.js';
import { assemble, PMEM, symbols } from './bare.js';
import type { Program } from './programs.js';
import { type Rig, rig, type StartOptions, start } from './rig.js';
import { partial } from './survivors.js';

/** What the plugin writes: who stored, promises, moments, images, limits, and what it refuses. */

/** Assembler text of a marker with a record. */
function marker(kind: number, text: string): string {
  const bytes = [...Buffer.from(text)];
  return `jmp 2f; 1: .byte ${bytes.join()}; 2: mov $1b, %edi; mov $${bytes.length}, %esi; .byte 0x0f, 0x1f, 0x84, 0, ${kind}, 0x44, 0x41, 0x58`;
}
const PROMISE = 2;
const CUT = 3;

const program = (name: string, code: Program['code']): Program => ({ name, code, bytes: {} });

async function run(
  t: Test,
  programs: readonly Program[],
  options: StartOptions,
  before?: (out: string) => void,
) {
  const directory = t.testdir({ work: {} });
  const ready = await rig(t);
  if (!ready) return undefined;
  const image = assemble(programs, directory);
  const out = await start(ready, image, directory, options, before);
  const events = await readEvents(out);
  t.same(partial(out), []);
  t.same(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
  );
  const cuts = events.filter((event): event is CutEvent => event.event === 'cut');
  return { directory, out, events, cuts, at: symbols(image), ready };
}

const hex = (address: number | undefined) => `0x${(address ?? 0).toString(16)}`;

t.test('who stored a line that is lost, and who wrote it back last', async (t) => {
  const did = await run(
    t,
    [
      program('stored', ['mov A, (P)', 'mov A, 64(P)', 'mov A, 4032(P)']),
      program('written back before', ['mov A, (P); clwb (P); sfence', 'mov B, (P)']),
      program('on its way', ['mov A, (P)', 'clflushopt (P)']),
      program('both', ['mov A, (P); clwb (P)', 'movnti B, 8(P)', 'mov A, (P)']),
      program('by the other CPU', [{ onCpu1: 'mov A, (P)' }]),
      program('non-temporal', ['movnti A, (P)']),
      program('nothing', ['mov A, (P); clflush (P)']),
    ],
    { states: 0 },
  );
  if (!did) return;
  const { out, cuts, at } = did;
  const of = async (number: number) =>
    (await readLost(out, cuts[number] as CutEvent)).filter(
      ({ offset }) => Math.floor(offset / 4096) === number,
    );
  const store = (number: number, part: number) => ({
    address: hex(at.get(`site_${number}_${part}`)),
    kernel: false,
    cpu: 0,
    kind: 'store',
  });
  const [first, second, third] = await of(0);
  t.match(first, { range: 0, offset: 0, lines: 1, state: 'dirty', store: store(0, 0) });
  t.match(second, { offset: 64, store: store(0, 1), writeBack: null });
  t.match(third, { offset: 4032 });
  const [again] = await of(1);
  t.match(again, { state: 'dirty', store: store(1, 1), writeBack: { kind: 'clwb', cpu: 0 } });
  const [pending] = await of(2);
  const writeBack = { address: hex(at.get('site_2_1')), kind: 'clflushopt' };
  t.match(pending, { state: 'pending', store: store(2, 0), writeBack });
  t.match(await of(3), [{ state: 'both', store: store(3, 2), writeBack: { kind: 'clwb' } }]);
  const aside = { cpu: 1, address: hex(at.get('aside_4_0')) };
  t.match(await of(4), [{ store: aside, writeBack: null }]);
  t.match(await of(5), [{ state: 'pending', store: { kind: 'non-temporal' } }]);
  t.same(await of(6), []);
  t.match(cuts[0], { label: 'stored', dirty: 3, pending: 0, lost: 3, store: null });
});

t.test('runs of lines of one store are one', async (t) => {
  const fill = 'mov P, %rdi; mov $4096, %ecx; mov $0x41, %al';
  const did = await run(t, [program('fill', [fill, 'rep stosb'])], { states: 0 });
  if (!did) return;
  const [cut] = did.cuts;
  const lost = await readLost(did.out, cut as CutEvent);
  t.match(lost, [{ offset: 0, lines: 64, store: { address: hex(did.at.get('site_0_1')) } }]);
  t.equal(lost.length, 1);
});

t.test('promises and cuts, in the order of execution; texts as the guest gave them', async (t) => {
  const odd = '{"file":"\u00e9\u0001\\"}';
  const programs = [
    program('one', ['mov A, (P)', marker(PROMISE, odd), 'clflush (P)', marker(PROMISE, 'two')]),
    program('three', [
      marker(CUT, 'by a marker'),
      'mov $0x700000000, %rdi; mov $9, %esi; .byte 0x0f, 0x1f, 0x84, 0, 2, 0x44, 0x41, 0x58',
    ]),
  ];
  const did = await run(t, programs, { states: 1 });
  if (!did) return;
  const told = did.events.map((event) =>
    event.event === 'promise' ? event.text : event.event === 'cut' ? event.label : event.event,
  );
  t.same(told, [
    ...['open', 'begin', odd, odd, 'two', 'two', 'one'],
    ...['by a marker', '', '', 'three', 'stop', 'end'],
  ]);
  t.same(
    did.cuts.map(({ states }) => states.length),
    [3, 1, 1, 1, 1, 1],
  );
  const kept = await run(t, programs, { cutAtPromises: false });
  t.equal(kept?.cuts.length, 3);
});

t.test('moments are drawn from the seed, and only where something is unfenced', async (t) => {
  const code = Array.from({ length: 200 }, (_, index) => {
    const line = `${64 * (index % 60)}(P)`;
    return `mov A, ${line}; movnti B, 8+${line}; clwb ${line}; sfence`;
  });
  const programs = [program('many', code)];
  const moments = async (seed: number) => {
    const did = await run(t, programs, { seed, moments: 12, gap: 20, states: 1 });
    return did?.cuts.filter(({ cause }) => cause === 'moment').map(({ store }) => store?.address);
  };
  const [one, again, other] = [await moments(1), await moments(1), await moments(2)];
  if (!one) return;
  t.equal(one.length, 12);
  t.same(one, again);
  t.notSame(one, other);
});

/** The same with the numbers of a call and of a range (-1: all), as the witness in the guest's kernel makes it. */
const numbered = (kind: number, number: number, text: string, range = -1) =>
  `mov $${number}, %edx; mov $${range}, %rcx; ${marker(kind, text)}`;
const CALL = 5;
const RETURN = 6;

t.test('of a call it is told what was stored before it and is lost', async (t) => {
  const did = await run(
    t,
    [
      program('kept', [
        'mov A, (P); clwb (P); sfence',
        numbered(CALL, 1, ''),
        numbered(RETURN, 1, 'one'),
      ]),
      program('lost, and stored meanwhile', [
        'mov A, (P); mov A, 64(P); mov A, 128(P)',
        numbered(CALL, 2, ''),
        'mov B, 64(P); mov B, 256(P); clwb 128(P); sfence',
        numbered(RETURN, 2, 'two'),
      ]),
      program('two at a time', [
        `clflush 4096*1(P); ${numbered(CALL, 3, '')}`,
        'mov A, (P)',
        numbered(CALL, 4, ''),
        numbered(RETURN, 3, 'three'),
        numbered(RETURN, 4, 'four'),
      ]),
      program('never begun', [numbered(RETURN, 5, 'five')]),
    ],
    { states: 0, calls: 100, lostCalls: 100, cutAtPromises: false },
  );
  if (!did) return;
  const returns = did.events.flatMap((event) => (event.event === 'return' ? [event] : []));
  t.match(
    returns.map(({ text, known, lost }) => [text, known, lost]),
    [
      ['one', true, 0],
      ['two', true, 1],
      // What program 2 lost is lost still.
      ['three', true, 3],
      ['four', true, 4],
      ['five', false, 0],
    ],
  );
  const cuts = did.cuts.filter(({ cause }) => cause === 'call');
  t.strictSame(
    cuts.map(({ label }) => label),
    ['one', 'two', 'three', 'four'],
  );
  const before = async (number: number, page: number) =>
    (await readLost(did.out, cuts[number] as CutEvent))
      .filter(({ offset }) => Math.floor(offset / 4096) === page)
      .map(({ offset, lines, before = false }) => [offset % 4096, lines, before]);
  t.strictSame(await before(1, 1), [
    [0, 1, true],
    [64, 1, false],
    [256, 1, false],
  ]);
  t.strictSame(await before(2, 2), [[0, 1, false]]);
  t.strictSame(await before(3, 2), [[0, 1, true]]);
});

t.test('cuts after many calls: the first ones, and some of the rest, from the seed', async (t) => {
  const calls = Array.from({ length: 300 }, (_, index) => {
    // At every second one something is lost.
    const number = index + 1;
    const store = index % 2 ? 'mov A, (P)' : 'mov B, (P); clflush (P)';
    return `${store}; ${numbered(CALL, number, '')}; ${numbered(RETURN, number, String(number))}`;
  });
  const labels = async (seed: number, most: number, before?: (out: string) => void) => {
    const options = { seed, states: 0, calls: most, lostCalls: most };
    const did = await run(t, [program('many', calls)], options, before);
    return did?.cuts.filter(({ cause }) => cause === 'call').map(({ label }) => Number(label));
  };
  const [one, again, other] = [await labels(1, 12), await labels(1, 12), await labels(2, 12)];
  if (!one) return;
  t.strictSame(
    one.slice(0, 16),
    Array.from({ length: 16 }, (_, index) => index + 1),
  );
  t.equal(one.length, 24);
  t.strictSame(
    one.filter((number) => number % 2 === 0),
    Array.from({ length: 12 }, (_, index) => 2 * (index + 1)),
    'each at which something is lost, up to the limit',
  );
  t.strictSame(one, again);
  t.notSame(one, other);
  t.strictSame(await labels(1, 0), []);
  const found = await labels(1, 12, (out) => writeFileSync(join(out, 'enough'), ''));
  t.strictSame(
    found?.filter((number) => number % 2 === 0),
    [],
    'the reader has found enough',
  );
  t.equal(found?.length, 12);
});

t.test('a call on one device: what is lost on another does not count', async (t) => {
  const size = 2 * 4096;
  const call = (number: number, range: number) =>
    `${numbered(CALL, number, '')}; ${numbered(RETURN, number, `${number}`, range)}`;
  const programs = [
    program('on the first', ['mov A, (P)', call(1, 0), call(2, 1), call(3, -1), call(4, 7)]),
    program('unused', []),
    program('on the second', ['mov A, (P); mov A, 64(P)', call(5, 0), call(6, 1), call(7, -1)]),
  ];
  const ranges = [
    { start: PMEM.start, size },
    { start: PMEM.start + size, size: PMEM.size - size },
  ];
  const did = await run(t, programs, { states: 0, cutAtPromises: false, ranges });
  t.strictSame(
    did?.events.flatMap((event) =>
      event.event === 'return' ? [[event.text, event.known, event.lost]] : [],
    ),
    [
      ['1', true, 1],
      ['2', true, 0],
      ['3', true, 1],
      // There is no such range: nothing is known about it.
      ['4', false, 0],
      ['5', true, 1],
      ['6', true, 2],
      ['7', true, 3],
    ],
  );
});

t.test('images: sparse, and each state what its delta says', async (t) => {
  const programs = [
    program('first', ['mov A, (P); clflush (P)', 'mov B, (P)']),
    program('second', ['mov A, (P); clflush (P)']),
  ];
  const did = await run(t, programs, { states: 2 });
  if (!did) return;
  const { out, directory, cuts } = did;
  const media = await Media.begin(out, 1);
  const image = join(directory, 'work/image');
  const byteOf = async (state: string, offset: number) => {
    const file = await open(image, 'w');
    await file.truncate(PMEM.size);
    await writePages(file, 0, (await media.state(0, state)).pages);
    await file.close();
    const bytes = readFileSync(image);
    t.equal(bytes.length, PMEM.size);
    t.ok(statSync(image).blocks * 512 < PMEM.size / 4, 'has holes');
    return String.fromCharCode(bytes[offset] ?? 0);
  };
  const [first, second] = cuts as [CutEvent, CutEvent];
  await t.rejects(media.advance(second.cut), /cut 2 does not follow cut 0/);
  await media.advance(first.cut);
  t.equal(await byteOf('nothing', 0), 'A');
  t.equal(await byteOf('everything', 0), 'B');
  t.equal(await byteOf('nothing', 4096), '\0');
  await media.advance(second.cut);
  t.equal(await byteOf('nothing', 4096), 'A');
  t.equal(await byteOf('everything', 0), 'B');
});

t.test('limits are said once, and cuts end', async (t) => {
  const programs = Array.from({ length: 5 }, (_, index) => program(`cut ${index}`, ['mov A, (P)']));
  const few = await run(t, programs, { mostCuts: 2, states: 0 });
  if (!few) return;
  const kinds = few.events.map(({ event }) => event);
  t.same(kinds, ['open', 'begin', 'cut', 'cut', 'limit', 'stop', 'end']);
  t.match(few.events[4], { what: 'max-cuts' });
  const small = await run(t, programs, { mostBytes: 1, states: 0 });
  t.match(small?.events[2], { event: 'limit', what: 'max-bytes' });
});

t.test('what it refuses, before the guest starts', async (t) => {
  const directory = t.testdir({ out: {}, used: { 'events.jsonl': '' } });
  const ready = await rig(t);
  if (!ready) return;
  const range = { ...PMEM, file: '/dev/null', offset: 0, flush: 'instructions' } as const;
  const options = {
    ...{ plugin: ready.plugin, directory: join(directory, 'out') },
    ...{ memory: { file: '/dev/null', low: 1 }, ranges: [range], seed: 1, states: 1 },
    ...{
      cutAtPromises: true,
      moments: 0,
      gap: 1,
      calls: 0,
      lostCalls: 0,
      mostCuts: 1,
      mostBytes: 1,
    },
  };
  for (const [change, message] of [
    [{ directory: join(directory, 'used') }, /not there, or not empty/],
    [{ directory: join(directory, 'none') }, /not there, or not empty/],
    [{ states: 101 }, /states= is more than 100/],
    [{ seed: -1.5 }, /seed=-1\.5/],
    [{ ranges: [] }, /range0-start= is missing/],
    [{ ranges: [{ ...range, size: 5 }] }, /not made of whole pages/],
    [{ memory: { file: '', low: 0 } }, /memory= or low= is missing/],
  ] as const) {
    t.match(refusal(ready, powerCutArguments({ ...options, ...change }).arguments), message);
  }
});

function refusal({ qemu }: Rig, plugin: readonly string[]): string {
  try {
    const machine = ['-M', 'none', '-nodefaults', '-display', 'none', '-S'];
    execFileSync(qemu.program, [...machine, ...plugin], { stdio: 'pipe', timeout: 600_000 });
    return 'accepted';
  } catch (error) {
    return String((error as { stderr: Buffer }).stderr);
  }
}

t.test('where requests flush, instructions do not', async (t) => {
  const directory = t.testdir();
  const ready = await rig(t);
  if (!ready) return;
  const image = assemble(
    [program('flushed', ['mov A, (P); clwb (P); movnti A, 64(P); sfence'])],
    directory,
  );
  const range = { ...PMEM, file: join(directory, 'memory'), offset: PMEM.start };
  const ranges = [{ ...range, flush: 'requests' as const }];
  writeFileSync(join(directory, 'memory'), '');
  const out = await start(ready, image, directory, { ranges });
  const events = await readEvents(out);
  t.match(events[0], { event: 'open', ranges: [{ flush: 'requests' }] });
  t.match(events[1], { event: 'begin', requests: 0 });
  t.match(
    events.find(({ event }) => event === 'cut'),
    { dirty: 2, pending: 0, lost: 2 },
  );
  t.match(events.at(-1), { counters: { writeBacks: 0, fences: 0, requests: 0 } });
});

t.test('requests that cannot be seen are a problem', async (t) => {
  const directory = t.testdir();
  const ready = await rig(t);
  if (!ready) return;
  const image = assemble([program('one', ['mov A, (P)'])], directory);
  const file = join(directory, 'none');
  const ranges = [{ ...PMEM, file, offset: PMEM.start, flush: 'requests' as const }];
  const none = await start(ready, image, directory, { ranges, preload: '' }).then(readEvents);
  t.match(none[1], { event: 'problem', text: /there is no .*none, the file of range 0$/ });
  t.match(none[2], { event: 'problem', text: /not in LD_PRELOAD/ });
});

t.test('memory that QEMU has not mapped is a problem, and nothing counts', async (t) => {
  const directory = t.testdir({ other: '' });
  const ready = await rig(t);
  if (!ready) return;
  const other = join(directory, 'other');
  const image = assemble([program('one', ['mov A, (P)'])], directory);
  const ranges = [{ ...PMEM, file: other, offset: 0, flush: 'instructions' as const }];
  const events = await readEvents(await start(ready, image, directory, { ranges }));
  t.match(events[1], { event: 'problem', text: /has not mapped .*other, range 0/ });
  t.notOk(events.some(({ event }) => event === 'cut'));
});

for (const count of [1, 40]) {
  t.test(`memory that is not the guest's is a problem, after ${count} stores`, async (t) => {
    const events = await storesElsewhere(t, count);
    const found = events.find(({ event }) => event === 'problem');
    if (events.length > 0)
      t.match(found, { text: /memory is not what the guest has at 0x10000000$/ });
  });
}

async function storesElsewhere(t: Test, count: number) {
  const directory = t.testdir();
  const ready = await rig(t);
  if (!ready) return [];
  const stores = Array.from({ length: count }, (_, index) => `mov A, ${8 * index}(P)`);
  const image = assemble([program('many', stores)], directory);
  const elsewhere = { ...PMEM, file: join(directory, 'memory'), offset: PMEM.start / 2 };
  const ranges = [{ ...elsewhere, flush: 'instructions' as const }];
  return readEvents(await start(ready, image, directory, { ranges }));
}

t.test('a guest that begins a second time is not watched to its end', async (t) => {
  const begin = '.byte 0x0f, 0x1f, 0x84, 0, 1, 0x44, 0x41, 0x58';
  const did = await run(t, [program('again', ['mov A, (P)', begin, 'mov B, (P)'])], { states: 0 });
  if (!did) return;
  const problem = did.events.find(({ event }) => event === 'problem');
  t.match(problem, { text: /the guest began a second time/ });
});

t.test('more instructions that store than can be told apart are a problem', async (t) => {
  const many = (count: number) => program('many', [`.rept ${count}; mov A, (P); .endr`]);
  const problemOf = async (count: number) => {
    const did = await run(t, [many(count)], { states: 0 });
    return did?.events.find(({ event }) => event === 'problem');
  };
  t.equal(await problemOf(100_000), undefined);
  const problem = await problemOf(140_000);
  if (problem)
    t.match(problem, { text: 'more than 131071 instructions have stored or written back' });
  else t.equal(await rig(t), undefined);
});
