import t from 'tap';
import type { GuestEvent, ProofEvent } from '../../cli/guest/protocol.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import {
  BUILD_ID,
  expectation,
  FSCK,
  type Fs,
  finding,
  goodRecord,
  proof,
  RELEASE,
  report,
  SHA256,
  STATX_ATTR_DAX,
  testEvent,
} from './records.js';

/**
 * Random records, mostly sound and spoiled in some places. What a `pass` needs is written down here
 * once more, from the contract and not from the code: a pass without it is the worst defect there
 * can be, and no pass with it would make the program useless.
 */

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const READY_AS = goodRecord('ext2').ready as NonNullable<UnitRecord['ready']>;

interface Sample {
  fs: Fs;
  record: UnitRecord;
  expected: Expectation;
}

function sample(seed: number): Sample {
  const next = random(seed);
  // How much of a record is spoiled: often nothing or one thing, sometimes a lot.
  const spoil = [0, 0.01, 0.03, 0.2][Math.floor(next() * 4)] ?? 0;
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(next() * values.length)] as Value;
  const mostly = <Value>(usual: Value, ...others: Value[]): Value =>
    next() < spoil ? pick(others) : usual;

  const fs = pick(['ext2', 'ext4', 'xfs'] as const);
  const release = pick([RELEASE, RELEASE, '5.7.1', '4.5.0-rc4', '5.8.0', '6.12.1']);
  const builtIn = next() < 0.2;
  const expected = expectation(fs, {
    release,
    control: next() < 0.1,
    module: builtIn
      ? undefined
      : { sha256: SHA256, buildId: next() < 0.1 ? '' : BUILD_ID, sent: next() < 0.5 },
  });
  const silent = /^[45]\.[0-7]\b/.test(release);
  const dax = expected.control ? 'rw,relatime' : pick(['rw,dax', 'rw,dax=always', 'dax,rw']);
  const attributes = expected.control ? 0 : STATX_ATTR_DAX;

  const look = (when: ProofEvent['when']): GuestEvent =>
    proof(fs, when, {
      mounted: mostly(true, false),
      type: mostly<string>(fs, 'ext2', 'ext4', 'xfs', 'tmpfs', ''),
      options: mostly(dax, 'rw', 'rw,dax=never', 'rw,dax=inode', 'nodax', 'rw,dax=always', ''),
      servedByExt4: mostly(fs === 'ext4', fs !== 'ext4'),
      servedByXfs: mostly(fs === 'xfs', fs !== 'xfs'),
      moduleReferences: mostly<number | undefined>(builtIn ? undefined : 3, 2, 1, undefined),
      moduleReferencesUnmounted: mostly<number | undefined>(
        builtIn ? undefined : 2,
        3,
        0,
        undefined,
      ),
      moduleBuildId: mostly(builtIn ? '' : BUILD_ID, '', 'ffff'),
      statxAttributes: silent
        ? mostly<number | undefined>(undefined, 0, attributes)
        : mostly<number | undefined>(attributes, 0, undefined, STATX_ATTR_DAX),
      statxMask: silent ? mostly(0, STATX_ATTR_DAX) : mostly(STATX_ATTR_DAX, 0),
      blockSize: mostly<number | undefined>(4096, 1024, undefined),
      pageSize: mostly<number | undefined>(4096, 16384, undefined),
    });
  const maybe = (event: GuestEvent): GuestEvent[] => mostly([event], [], [event, event]);
  const scratch = next() < 0.2;
  const events: GuestEvent[] = [
    ...(builtIn
      ? []
      : maybe({
          event: 'module',
          name: fs,
          sha256: mostly(expected.module?.sent ? SHA256 : '', '', 'other'),
          origin: expected.module?.sent ? 'sent' : 'kernel',
        })),
    ...mostly<GuestEvent[]>([], [{ event: 'mount-failed', message: 'no', kernelLog: '' }]),
    ...maybe(look('before')),
    ...(next() < 0.3 ? [look('remount')] : []),
    ...(scratch ? [look('scratch')] : []),
    ...maybe(
      testEvent({
        status: mostly(0, 1, 77, 99, 127, 139),
        timedOut: mostly(false, true),
        failures: mostly('', 'links are wrong\n'),
      }),
    ),
    ...maybe(look('after')),
    ...mostly<GuestEvent[]>([], [{ event: 'gave-up', step: 'x', message: 'y', kernelLog: '' }]),
    ...maybe({ ...FSCK, status: mostly(0, 4, 8, 137) }),
    ...(scratch ? maybe({ ...FSCK, name: 'scratch', status: mostly(0, 4) }) : []),
  ];
  const check = () => {
    const found = mostly<ReturnType<typeof finding>[]>(
      [],
      [finding({ tool: 'e2fsck', severity: 'corruption' })],
      [finding({ tool: 'e2fsck', severity: 'repairable' })],
    );
    const unparsed = mostly<string[]>([], ['?']);
    const completed = mostly(true, false);
    const clean = completed && unparsed.length === 0 && found.length === 0;
    return mostly<ReturnType<typeof report> | undefined>(
      report({ findings: found, unparsed, completed, clean }),
      undefined,
    );
  };
  const [ofTest, ofScratch] = [check(), scratch ? check() : undefined];
  return {
    fs,
    expected,
    record: {
      ...goodRecord(fs),
      ending: mostly<UnitRecord['ending']>(
        { kind: 'finished' },
        { kind: 'panic', message: 'x' },
        { kind: 'hang', seconds: 1, step: 'x' },
        { kind: 'unit-timeout', seconds: 1, step: 'x' },
        { kind: 'guest-shutdown', step: 'x' },
        { kind: 'qemu-died', exitCode: 0, signal: 'SIGTERM', message: '' },
        { kind: 'protocol-violation', problem: 'x' },
        { kind: 'storage', message: 'x' },
        { kind: 'interrupted' },
        { kind: 'boot-timeout', seconds: 1 },
      ),
      ready: mostly<UnitRecord['ready']>({ ...READY_AS, release }, undefined, {
        ...READY_AS,
        release: '6.1.0-57-amd64',
      }),
      events,
      bootFindings: next() < 0.3 ? [finding()] : [],
      kernelFindings: mostly<ReturnType<typeof finding>[]>(
        [],
        [finding()],
        [finding({ severity: 'corruption', kind: 'oops' })],
        [finding({ severity: 'notice' })],
      ),
      checks: {
        ...(ofTest ? { test: ofTest } : {}),
        ...(ofScratch ? { scratch: ofScratch } : {}),
      },
    },
  };
}

/** Why this is no pass; empty where it has to be one. */
function objections({ fs, record, expected }: Sample): string[] {
  const { events } = record;
  const named = <Name extends GuestEvent['event']>(name: Name) =>
    events.filter((event) => event.event === name) as Extract<GuestEvent, { event: Name }>[];
  const looks = named('proof');
  const tests = named('test');
  const checks = named('fsck');
  const no: string[] = [];
  const need = (holds: boolean, what: string) => {
    if (!holds) no.push(what);
  };

  need(record.ending.kind === 'finished', 'ended early');
  need(record.ready?.release === expected.release, 'kernel');
  if (expected.module?.sent) {
    need(
      named('module').some(({ sha256 }) => sha256 === expected.module?.sha256),
      'module sent',
    );
  }
  need(named('mount-failed').length === 0, 'mount');
  need(named('gave-up').length === 0, 'gave up');
  for (const when of ['before', 'after'] as const) {
    need(
      looks.some((look) => look.when === when),
      `look ${when}`,
    );
  }
  for (const look of looks) {
    need(look.mounted, 'mounted');
    need(look.servedByExt4 === (fs === 'ext4'), 'ext4 serves it');
    if (fs !== 'ext4') need(look.servedByXfs === (fs === 'xfs'), 'xfs serves it');
    if (fs === 'ext2') {
      need(look.type === 'ext2', 'type');
      if (look.moduleReferences !== undefined) {
        need(look.moduleReferences > (look.moduleReferencesUnmounted ?? 0), 'references');
      }
    }
    if (expected.module) {
      need(
        look.moduleReferences !== undefined || look.moduleBuildId !== '',
        'no trace of the module',
      );
      if (expected.module.buildId) need(look.moduleBuildId === expected.module.buildId, 'build id');
    }
    const options = look.options.split(',');
    const asked = options.includes('dax') || options.includes('dax=always');
    const known = look.statxAttributes !== undefined && look.statxMask === STATX_ATTR_DAX;
    const set = look.statxAttributes === STATX_ATTR_DAX;
    if (expected.control) {
      need(!asked, 'DAX asked for in the control');
      need(!(known && set), 'DAX in the control');
    } else {
      need(asked, 'DAX among the options');
      need(known ? set : /^(4\.|5\.[0-7]\.)/.test(expected.release), 'statx');
      need(look.blockSize === 4096 && look.pageSize === 4096, 'block size');
    }
  }
  need(tests.length === 1, 'one test');
  for (const test of tests) {
    need(test.status === 0 && !test.timedOut && test.failures === '', 'the test');
  }
  const devices = looks.some(({ when }) => when === 'scratch')
    ? (['test', 'scratch'] as const)
    : (['test'] as const);
  for (const device of devices) {
    const ofDevice = checks.filter(({ name }) => name === device);
    need(ofDevice.length > 0, `check of ${device}`);
    need(
      ofDevice.every(({ status }) => status === 0),
      `status of the check of ${device}`,
    );
    const log = record.checks[device];
    need(log?.completed === true && log.clean && log.unparsed.length === 0, `log of ${device}`);
  }
  const found = [
    ...record.kernelFindings,
    ...Object.values(record.checks).flatMap(({ findings }) => findings),
  ];
  need(
    found.every(({ severity }) => severity === 'notice'),
    'findings',
  );
  return no;
}

t.test('a pass has all that it needs, and what has it is a pass', (t) => {
  const counts = { pass: 0, other: 0 };
  // Objections that stood alone: each of them was tried as the only thing that is wrong.
  const alone = new Set<string>();
  for (let seed = 0; seed < 40_000; seed += 1) {
    const one = sample(seed);
    const judgement = judge(one.record, one.expected);
    const no = objections(one);
    if (no.length === 1) alone.add(no[0] as string);
    counts[judgement.verdict === 'pass' ? 'pass' : 'other'] += 1;
    if ((judgement.verdict === 'pass') !== (no.length === 0)) {
      t.fail(`seed ${seed}: ${judgement.verdict} (${judgement.reason})`, { no, ...one });
      if (counts.pass + counts.other > 5) break;
    }
    if (judgement.verdict === 'pass' && judgement.dax.proven === one.expected.control) {
      t.fail(`seed ${seed}: a pass whose DAX is ${judgement.dax.proven ? '' : 'not '}proven`);
      break;
    }
  }
  t.ok(counts.pass > 5000 && counts.other > 5000, `both were tried: ${JSON.stringify(counts)}`);
  for (const what of [
    ...['ended early', 'kernel', 'module sent', 'mount', 'gave up', 'look before', 'look after'],
    ...['mounted', 'type', 'references', 'build id', 'DAX among the options', 'statx'],
    ...['block size', 'one test', 'the test', 'check of test', 'check of scratch'],
    ...['status of the check of test', 'log of test', 'log of scratch', 'findings'],
    ...['DAX asked for in the control', 'DAX in the control', 'ext4 serves it', 'xfs serves it'],
  ]) {
    t.ok(alone.has(what), `tried alone: ${what}`);
  }
  t.end();
});
