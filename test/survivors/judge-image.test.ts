import t from 'tap';
import type { Finding, KernelFindingKind } from '../../cli/findings/finding.js';
import type { SurvivorEvent } from '../../cli/guest/protocol.js';
import { judgeImage } from '../../cli/survivors/judge-image.js';
import { BROKEN, CLEAN, image, told } from './image.js';

// What one image shows, judged by the guest's report about it.

const JOURNAL = { recovery: 'journal' } as const;
const REPAIR = { recovery: 'repair' } as const;

const kernel = (kind: KernelFindingKind, more: Partial<Finding> = {}): Finding => ({
  ...{ tool: 'kernel', kind, message: `${kind}!`, signature: `kernel:${kind}` },
  severity: 'corruption',
  ...more,
});

t.test('accepts an image that keeps all promises', async (t) => {
  t.strictSame(judgeImage(image(), told(), JOURNAL), {
    ...{ examined: true, asked: 3, broken: [], defects: [] },
  });
  const repaired = told({ event: { repair: 1, check: undefined }, check: '' });
  t.strictSame(judgeImage(image(), repaired, REPAIR), {
    ...{ examined: true, asked: 3, broken: [], defects: [] },
  });
});

t.test('finds a broken promise', async (t) => {
  const { broken, defects, problem } = judgeImage(image(), told({ answers: BROKEN }), JOURNAL);
  t.match(broken, [{ kind: 'data', by: 'fsync', name: 'a', from: 0, to: 64 }]);
  t.strictSame([defects, problem], [[], undefined]);
});

t.test('takes no proof if a step is missing or crashed', async (t) => {
  const cases: [event: Partial<SurvivorEvent>, problem: RegExp][] = [
    [{ mount: undefined }, /examined completely: it was not mounted/],
    [
      { mount: undefined, said: 'partition: Invalid argument\n' },
      /not mounted: partition: Invalid/,
    ],
    [{ looked: undefined }, /it was not questioned/],
    [{ check: undefined }, /it was not checked afterwards/],
    [{ check: 127 }, /its check ended with 127/],
    [{ check: 139 }, /its check ended with 139/],
  ];
  for (const [event, problem] of cases) {
    const judgement = judgeImage(image(), told({ event }), JOURNAL);
    t.match(judgement, {
      problem,
      examined: false,
      asked: 0,
      broken: { length: 0 },
      defects: { length: 0 },
    });
  }
  const unrepaired = judgeImage(image(), told(), REPAIR);
  t.match(unrepaired, { problem: /it was not repaired/, examined: false });
  const crashed = judgeImage(image(), told({ event: { repair: 139 } }), REPAIR);
  t.match(crashed, { problem: /e2fsck ended with 139/, examined: false });
});

t.test('takes no proof from answers to other questions, or from none', async (t) => {
  for (const answers of ['', 'name file 4096\nend\n', 'name file 4096\ndata perhaps\nend\n']) {
    const judgement = judgeImage(image(), told({ answers }), JOURNAL);
    t.match(judgement, { problem: /an image gave no answers/, asked: 0 });
  }
  const event = { looked: 4, said: 'there is more to answer than the host takes' };
  t.match(judgeImage(image(), told({ event }), JOURNAL), { problem: /more to answer/, asked: 0 });
});

t.test('finds defects of the whole image', async (t) => {
  const of = (
    event: Partial<SurvivorEvent>,
    guarantees: typeof JOURNAL | typeof REPAIR = JOURNAL,
  ) => judgeImage(image(), told({ event, answers: '' }), guarantees);
  t.match(of({ mount: 32, looked: undefined, said: 'mount: bad superblock\nmore' }), {
    examined: true,
    defects: [{ kind: 'mount', message: 'cannot be mounted: mount: bad superblock' }],
  });
  t.match(of({ repair: 4, mount: undefined }, REPAIR), {
    examined: true,
    defects: [{ kind: 'repair', message: /cannot be repaired by e2fsck \(exit code 4\)/ }],
  });
  t.strictSame(of({ repair: 3, mount: undefined }, REPAIR).defects, []);
});

const FREE_COUNTS = CLEAN.replace(
  '/dev/vda1: 12/',
  'Free blocks count wrong (57077, counted=57069).\nFix? no\n\n\n/dev/vda1: 12/',
);

t.test('goes by the findings of a check, not by its exit code', async (t) => {
  const check = (status: number, text: string) =>
    judgeImage(image(), told({ event: { check: status }, check: text }), JOURNAL);
  t.match(check(0, FREE_COUNTS).defects, [
    { kind: 'check', message: /^fails its check: Free blocks count wrong/, signature: /free/ },
  ]);
  t.match(check(4, CLEAN).defects, [{ kind: 'check', message: 'fails its check: exit code 4' }]);
  t.match(check(4, '').defects, [{ kind: 'check' }]);
  for (const text of ['', CLEAN.split('Pass 5')[0] ?? '', `${CLEAN}a line of another kind\n`]) {
    const { problem, defects } = check(0, text);
    t.match(problem, /the check of an image did not report it as clean/);
    t.strictSame(defects, []);
  }
});

t.test("interprets the kernel's messages", async (t) => {
  const of = (complaints: Finding[]) => judgeImage(image(), told({ complaints }), JOURNAL);
  t.match(of([kernel('warning')]), {
    examined: true,
    problem: undefined,
    defects: [
      {
        kind: 'kernel',
        message: 'makes the kernel complain: warning!',
        signature: 'kernel:warning',
      },
    ],
  });
  t.match(of([kernel('io-error'), kernel('oops')]), {
    examined: false,
    problem: /the examining guest was in trouble: io-error!/,
    defects: { length: 0 },
  });
  for (const quiet of [kernel('fs-error'), kernel('warning', { severity: 'notice' })]) {
    t.strictSame(of([quiet]).defects, []);
    t.equal(of([quiet]).examined, true);
  }
});

t.test('interprets a guest that ended before it had reported everything', async (t) => {
  const lost = (ending: Parameters<typeof judgeImage>[1] & { kind: 'lost' }) =>
    judgeImage(image(), ending, JOURNAL);
  const panic = { kind: 'panic', message: 'journal' } as const;
  const died = { kind: 'qemu-died', exitCode: 1, signal: null, message: '' } as const;
  t.match(lost({ kind: 'lost', ending: panic, complaints: [kernel('panic')] }), {
    problem: undefined,
    defects: [{ kind: 'panic', message: 'makes the kernel panic: journal' }],
  });
  t.equal(lost({ kind: 'lost', ending: panic, complaints: [kernel('panic')] }).defects.length, 1);
  t.match(lost({ kind: 'lost', ending: died, complaints: [kernel('oops')] }), {
    problem: undefined,
    defects: [{ kind: 'kernel' }],
  });
  t.match(lost({ kind: 'lost', ending: died, complaints: [] }), {
    problem: 'the guest that examined image "nothing" of power cut 3 ended (qemu-died)',
    defects: { length: 0 },
  });
});

t.test('takes no proof from an image that no guest examined', async (t) => {
  const none = { kind: 'none', because: 'three guests were lost' } as const;
  t.match(judgeImage(image(), none, JOURNAL), {
    problem: 'an image was not examined: three guests were lost',
    examined: false,
  });
});
