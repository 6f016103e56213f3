import type { FsckReport } from '../../cli/findings/fsck-report.js';
import type { GuestEvent, ProofEvent } from '../../cli/guest/protocol.js';
import { LAYERS, STATX_ATTR_DAX } from './records.js';
import type { Sample } from './samples.js';
import { ID } from './xfstests-records.js';

/**
 * The requirements of a `pass`, written again from the contract and the documents, not from the
 * code.
 */

type Need = (holds: boolean, what: string) => void;

/** Why this is not a pass; empty if it must be one. */
export function objections(sample: Sample): string[] {
  const no = new Set<string>();
  const need: Need = (holds, what) => {
    if (!holds) no.add(what);
  };
  guestObjections(sample, need);
  for (const look of named(sample, 'proof')) lookObjections(look, sample, need);
  if (sample.expected.xfstests) xfstestsObjections(sample, need);
  else builtinObjections(sample, need);
  findingObjections(sample, need);
  if (sample.expected.powerCut) powerCutObjections(sample, need);
  return [...no];
}

function named<Name extends GuestEvent['event']>({ record }: Sample, name: Name) {
  return record.events.filter((event) => event.event === name) as Extract<
    GuestEvent,
    { event: Name }
  >[];
}

function guestObjections(sample: Sample, need: Need): void {
  const { record, expected } = sample;
  need(record.ending.kind === 'finished', 'ended early');
  need(record.ready?.release === expected.release, 'kernel');
  need(
    named(sample, 'begin').every(({ release }) => release === expected.release),
    'kernel after a restore',
  );
  if (expected.module?.sent) {
    need(
      named(sample, 'module').some(({ sha256 }) => sha256 === expected.module?.sha256),
      'module sent',
    );
  }
  need(named(sample, 'mount-failed').length === 0, 'mount');
  need(named(sample, 'gave-up').length === 0, 'gave up');
  for (const when of ['before', 'after'] as const) {
    need(
      named(sample, 'proof').some((look) => look.when === when),
      `look ${when}`,
    );
  }
}

function lookObjections(look: ProofEvent, { fs, expected }: Sample, need: Need): void {
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
  const { stack, partition } = expected;
  const between = stack === 'linear' ? LAYERS.linear : partition ? LAYERS.partition : undefined;
  if (between) need(JSON.stringify(look.layers) === JSON.stringify(between), 'layers');
  const asked = hasDax(look.options);
  const known = look.statxAttributes !== undefined && look.statxMask === STATX_ATTR_DAX;
  const set = look.statxAttributes === STATX_ATTR_DAX;
  if (expected.control) {
    need(!asked, 'DAX asked for in the control');
    need(!(known && set), 'DAX in the control');
  } else {
    need(asked, 'DAX among the options');
    need(known ? set : /^(4\.|5\.[0-7]\.)/.test(expected.release), 'statx');
    const looks = [
      look.data ?? [],
      ...(/rtdev=/.test(look.options) ? [look.realtimeData ?? []] : []),
    ];
    for (const data of looks) {
      const compared = data.filter(({ same }) => same !== undefined);
      need(compared.length > 0, 'data compared');
      need(
        compared.every(({ same }) => same === 4096),
        'data the same',
      );
    }
    need(look.blockSize === 4096 && look.pageSize === 4096, 'block size');
  }
}

function hasDax(options: string): boolean {
  return options.split(',').some((option) => option === 'dax' || option === 'dax=always');
}

function isClean(log: FsckReport | undefined): boolean {
  return log?.completed === true && log.clean && log.unparsed.length === 0;
}

function builtinObjections(sample: Sample, need: Need): void {
  const tests = named(sample, 'test');
  need(tests.length === 1, 'one test');
  for (const test of tests) {
    need(test.status === 0 && !test.timedOut && test.failures === '', 'the test');
  }
  const { events } = sample.record;
  const session = events.findIndex((event) => event.event === 'step');
  const scratch = events.findIndex((event) => event.event === 'proof' && event.when === 'scratch');
  const ours = scratch >= 0 && (session < 0 || scratch < session);
  need(isChecked(sample, 'test'), 'check of test');
  if (ours) need(isChecked(sample, 'scratch'), 'check of scratch');
  madeChecks(sample, need);
}

function isChecked(sample: Sample, device: 'test' | 'scratch'): boolean {
  return named(sample, 'fsck').some(({ name }) => name === device);
}

/** Every check that was made must be clean, requested or not. */
function madeChecks(sample: Sample, need: Need): void {
  for (const { name, status } of named(sample, 'fsck')) {
    need(status === 0, `status of the check of ${name}`);
    need(isClean(sample.record.checks[name]), `log of ${name}`);
  }
}

function xfstestsObjections(sample: Sample, need: Need): void {
  const [said] = named(sample, 'xfstests');
  need(said !== undefined, 'check ran');
  if (said) {
    const lines = said.output.split('\n');
    const files = said.files.split(' ');
    need(!said.timedOut, 'in time');
    for (const file of ['notrun', 'out.bad', 'core']) need(!files.includes(file), file);
    need(said.expectedOutput, 'expected output');
    need(said.times.startsWith(`${ID} `), 'check.time');
    need(said.unseenMounts === 0, 'mounts that were not seen');
    need(
      lines.some((line) => (said.together ? line.startsWith(`${ID} `) : line === `Ran: ${ID}`)),
      'check ran the test',
    );
    need(
      said.together
        ? lines.some((line) => line.startsWith(`${ID} `) && / \d+s$/.test(line))
        : said.status === 0 && lines.includes('Passed all 1 tests'),
      'check says that it passed',
    );
    need(
      !/unknown test|Interrupted!|failed, exit|inconsistent|_check_dmesg|Failures:/.test(
        said.output,
      ),
      'check says that it did not',
    );
  }
  for (const one of named(sample, 'mount')) {
    const { fs, expected } = sample;
    const driver = one.servedByExt4 ? 'ext4' : one.servedByXfs ? 'xfs' : 'ext2';
    need(driver === fs, 'driver of a mount');
    const meant = one.phase === 'test' && /dax=never [^,]*$/.test(one.arguments);
    if (expected.control) need(!hasDax(one.options), 'DAX of a mount in the control');
    else need(hasDax(one.options) || meant, 'DAX of a mount');
    if (!expected.control && hasDax(one.options)) {
      need(one.misaligned === '', 'alignment of a mount');
    }
  }
  suiteCheckObjections(sample, need);
}

function suiteCheckObjections(sample: Sample, need: Need): void {
  const { suiteChecks = [] } = sample.record;
  for (const { event, report } of suiteChecks) {
    if (event.phase === 'test') continue;
    need(report !== undefined, `log of check, ${event.phase}`);
    need(report?.completed === true, `end of check, ${event.phase}`);
    need(event.status === 0, `status of check, ${event.phase}`);
    need(isClean(report), `clean check, ${event.phase}`);
  }
  // A check that may repair proves nothing about what it was given.
  const checkedBySuite = suiteChecks.some(
    ({ event, report }) =>
      event.phase === 'check' &&
      event.device === '/dev/pmem0' &&
      event.readOnly &&
      event.status === 0 &&
      isClean(report),
  );
  const together = named(sample, 'xfstests')[0]?.together === true;
  need(isChecked(sample, 'test') || (together && checkedBySuite), 'a check of TEST_DEV');
  madeChecks(sample, need);
  const looks = named(sample, 'proof');
  const used = named(sample, 'mount').some(
    ({ phase, device }) => phase !== 'setup' && device === '/dev/pmem1',
  );
  if (used) {
    need(
      looks.some(({ when }) => when === 'scratch'),
      'look at SCRATCH_DEV',
    );
  }
}

function findingObjections({ record }: Sample, need: Need): void {
  const found = [
    ...record.kernelFindings,
    ...Object.values(record.checks).flatMap(({ findings }) => findings),
    ...(record.suiteChecks ?? []).flatMap(({ report }) => report?.findings ?? []),
    ...(record.powerCut?.findings ?? []),
  ];
  need(
    found.every(({ severity }) => severity === 'notice'),
    'findings',
  );
}

function powerCutObjections({ record: { powerCut } }: Sample, need: Need): void {
  need(powerCut !== undefined, 'power cut');
  if (!powerCut) return;
  const { counters, calls } = powerCut;
  need(powerCut.problem === undefined, 'survivors known');
  need(powerCut.guarantees !== undefined, 'guarantees');
  need(counters !== undefined, 'counters');
  if (counters) {
    need(counters.stores > 0, 'stores');
    need(counters.writeBacks + counters.fences + counters.requests > 0, 'written back');
  }
  need(powerCut.promises > 0, 'promises');
  need(powerCut.images > 0, 'images');
  if (calls) {
    need(calls.beyond === 0, 'calls beyond what can be known');
    need(calls.seen > calls.unpromised, 'calls that promise');
  } else {
    need(powerCut.asked > 0, 'asked');
  }
}
