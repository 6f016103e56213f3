import t from 'tap';
import type { PowerCutRecord } from '../../cli/record/power-cut.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, goodRecord } from './records.js';

// A pass under --power-cut needs proof that something could have been lost.

const CUTS: PowerCutRecord = {
  counters: { stores: 100, writeBacks: 10, fences: 2, requests: 0 },
  promises: 4,
  cuts: { promised: 4, moments: 2 },
  images: 7,
  repeated: 3,
  asked: 20,
  guarantees: 'a journal',
  findings: [],
};

const verdictOf = (powerCut?: PowerCutRecord) =>
  judge({ ...goodRecord('ext4'), powerCut }, expectation('ext4', { powerCut: true }));

t.test('passes if all promises held', async (t) => {
  t.match(verdictOf(CUTS), {
    verdict: 'pass',
    reason: /; 4 promises kept after 6 power cuts \(7 different images\)$/,
  });
});

t.test('accepts one kind of flush as proof', async (t) => {
  const none = { stores: 9, writeBacks: 0, fences: 0, requests: 0 };
  for (const kind of ['writeBacks', 'fences', 'requests']) {
    t.match(verdictOf({ ...CUTS, counters: { ...none, [kind]: 1 } }), { verdict: 'pass' }, kind);
  }
});

t.test('accepts every mixture of flushes', async (t) => {
  for (const [writeBacks, fences, requests] of [
    [1, 1, 0],
    [0, 1, 1],
    [1, 0, 1],
    [2, 1, 3],
  ] as const) {
    const counters = { stores: 9, writeBacks, fences, requests };
    t.match(verdictOf({ ...CUTS, counters }), { verdict: 'pass' }, JSON.stringify(counters));
  }
});

t.test('gives no pass without proof', async (t) => {
  for (const [more, reason] of [
    [{ problem: 'the disk is full' }, /is unknown: the disk is full/],
    [{ counters: undefined }, /did not report the stores/],
    [{ counters: { stores: 0, writeBacks: 1, fences: 1, requests: 0 } }, /saw no stores/],
    [
      { counters: { stores: 9, writeBacks: 0, fences: 0, requests: 0 } },
      /no write-back, fence or flush request/,
    ],
    [{ promises: 0 }, /reported no promises/],
    [{ images: 0 }, /no image was examined/],
    [{ asked: 0 }, /not checked for any name/],
    [{ guarantees: undefined }, /guarantees nothing/],
  ] as [Partial<PowerCutRecord>, RegExp][]) {
    t.match(verdictOf({ ...CUTS, ...more }), { verdict: 'error', reason }, String(reason));
  }
  t.match(verdictOf(undefined), { verdict: 'error', reason: 'the power was not cut' });
});

const CALLS = { seen: 9, unpromised: 1, changed: 2, beyond: 0 };

t.test('judges sync calls that were seen', async (t) => {
  t.match(verdictOf({ ...CUTS, promises: 6, calls: CALLS }), {
    verdict: 'pass',
    reason:
      /; 6 of 9 sync calls had their data on the medium when they returned \(1 promise nothing on this file system; 2 not judged because files changed meanwhile\); sizes, names and file-system checks were correct after 6 power cuts \(7 different images\)$/,
  });
  t.match(verdictOf({ ...CUTS, promises: 5, calls: { ...CALLS, beyond: 1 } }), {
    verdict: 'error',
    reason: /^1 of 9 sync calls could not be judged: data stored before them was lost/,
  });
  const none = { seen: 0, unpromised: 0, changed: 0, beyond: 0 };
  t.match(verdictOf({ ...CUTS, promises: 0, asked: 0, calls: none }), {
    verdict: 'notrun',
    reason: /no sync call on the file systems was seen/,
  });
  t.match(verdictOf({ ...CUTS, promises: 0, calls: { ...none, seen: 2, unpromised: 2 } }), {
    verdict: 'notrun',
    reason: /none of the 2 sync calls promises anything/,
  });
  t.match(verdictOf({ ...CUTS, promises: 0, calls: { ...none, seen: 2, changed: 2 } }), {
    verdict: 'error',
    reason: /none of the sync calls could be judged/,
  });
  const moments = (count: number) =>
    verdictOf({ ...CUTS, promises: 0, calls: none, cuts: { promised: 0, moments: count } }).reason;
  t.match(moments(0), /nothing was promised$/);
  t.match(moments(1), /nothing was promised; 1 power cut at other moments found no problems$/);
  t.match(verdictOf({ ...CUTS, promises: 9, calls: { ...none, seen: 9 } }), {
    verdict: 'pass',
    reason: /; 9 of 9 sync calls had their data on the medium when they returned; sizes/,
  });
  t.match(
    verdictOf({ ...CUTS, promises: 0, calls: none, guarantees: undefined }),
    { verdict: 'error', reason: /guarantees nothing after a power cut/ },
    'the options are the reason, not the calls',
  );
  // Unknown calls are no reason to say that there were none.
  t.match(verdictOf({ ...CUTS, promises: 0, calls: none, problem: 'calls were missed' }), {
    verdict: 'error',
    reason: /calls were missed/,
  });
});

t.test('fails for a broken promise', async (t) => {
  const finding = {
    tool: 'power-cut' as const,
    message: 'a: bytes 0 to 63 are others',
    signature: 'power-cut:data:fsync:store_bytes:not-written-back',
    severity: 'corruption' as const,
  };
  // Even if the plugin saw no write-back at all: that is the bug.
  const counters = { stores: 9, writeBacks: 0, fences: 0, requests: 0 };
  t.match(verdictOf({ ...CUTS, counters, findings: [finding] }), {
    verdict: 'fail',
    reason: 'power-cut: a: bytes 0 to 63 are others',
  });
});
