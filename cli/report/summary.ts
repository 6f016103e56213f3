import { escapeForTerminal } from '../findings/escape.js';
import { deviceWords } from '../guest/layers.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import { VERDICTS } from '../verdict/judge.js';
import { formatSeconds, plural } from '../words.js';
import { describeExplanation } from './explanation.js';
import { describeFiles } from './files.js';
import {
  describeEvidence,
  describeFirst,
  describeOthers,
  describeRest,
  describeShared,
  groupFindings,
} from './findings.js';
import { describeImages } from './images.js';
import { alikeAttempts, describeRepeats } from './repeats.js';
import { explainUnwritten } from './unwritten.js';

/** The summary of a run: each unit's verdict, reason, proof of DAX and findings, and the files. */

/** Kinds of findings shown per unit; the rest are in its files. */
const MOST_KINDS = 5;

export interface SummaryStyle {
  colour: boolean;
}

export function formatSummary(result: RunResult, style: SummaryStyle): string {
  const lines = alikeAttempts(result.units).flatMap(({ first, others }) => [
    ...formatUnit(first, style),
    ...(others ? [field('again', others)] : []),
    '',
  ]);
  if (result.units.length === 0) lines.push('Nothing ran.', '');
  lines.push(...result.repeats.map((one) => describeRepeats(one, result.repeats)));
  if (result.units.length > 1) lines.push(formatCounts(result), '');
  lines.push(...describeFiles(result.directory));
  return lines.join('\n');
}

function formatUnit(unit: UnitResult, style: SummaryStyle): string[] {
  const attempt = unit.attempt > 1 ? `, attempt ${unit.attempt}` : '';
  const name = escapeForTerminal(`${unit.fs} ${unit.test}`);
  const machine = escapeForTerminal(`${deviceWords(unit)}, ${unit.accel}`);
  return [
    `${verdictMark(unit.verdict, style)}  ${name}${attempt}  (${formatSeconds(unit.durationSeconds)}, ${machine})`,
    field('reason', unit.reason),
    ...formatExpected(unit),
    field('kernel', `${unit.kernel.release} from ${unit.kernel.spec}`),
    field('driver', describeDriver(unit)),
    field('DAX', describeDax(unit)),
    ...describeDevices(unit).map((text, index) => field(index === 0 ? 'devices' : '', text)),
    ...formatFindings(unit),
    ...explainUnwritten(unit.unwritten).map((sentence) => field('why', sentence)),
    ...describeExplanation(unit.explanation).map((sentence, index) =>
      field(index === 0 ? 'explain' : '', sentence),
    ),
    ...describeImages(unit.images).map((image) => field('image', image)),
    ...(unit.verdict === 'pass' ? [] : formatReplay(unit)),
    ...(unit.artifacts['record'] === undefined ? [] : [field('record', unit.artifacts['record'])]),
  ];
}

function formatReplay({ replay, together }: UnitResult): string[] {
  const alone = together?.alone;
  return [
    field('replay', replay),
    ...(alone === undefined || alone === replay ? [] : [field('alone', alone)]),
  ];
}

function formatExpected({ verdict, expectedFailure: expected }: UnitResult): string[] {
  if (!expected) return [];
  const { reason } = expected;
  if (expected.held) return [field('expected', `to fail: ${reason}`)];
  if (verdict === 'pass') return [field('expected', `to fail, but passed: ${reason}`)];
  return [field('expected', `to fail differently: ${reason}`)];
}

/** Escapes the value. */
function field(name: string, value: string): string {
  return `         ${name.padEnd(8)} ${escapeForTerminal(value)}`;
}

const COLOURS: Record<UnitResult['verdict'], number> = {
  pass: 32,
  fail: 31,
  invalid: 33,
  error: 33,
  notrun: 36,
};

function verdictMark(verdict: UnitResult['verdict'], { colour }: SummaryStyle): string {
  const word = verdict.toUpperCase().padEnd(7);
  return colour ? `\x1b[1;${COLOURS[verdict]}m${word}\x1b[0m` : word;
}

function describeDriver({ dax, fs }: UnitResult): string {
  if (dax.driver === 'none') return 'nothing was mounted';
  if (dax.driver !== fs) return `${dax.driver}, not ${fs}`;
  if (!dax.module) return `${fs}, built in`;
  const origin =
    dax.module.origin === 'built'
      ? "module built from the kernel's source"
      : "the kernel's own module";
  return `${fs}, ${origin}, build id ${dax.module.buildId.slice(0, 12)}`;
}

function describeDax(unit: UnitResult): string {
  const { dax } = unit;
  if (dax.looks.length === 0) return 'not proven: nothing was mounted';
  const options = dax.mountOptions;
  if (unit.control) return `not in use, as requested (${options})`;
  if (!dax.proven) return `not proven (${options})`;
  const compared = dax.looks.every(({ dataSame }) => dataSame);
  const shown = dax.looks.some(({ statxDax }) => statxDax)
    ? `mount option${compared ? ', statx and data' : ' and statx'} of a fresh file`
    : `mount option${compared ? ' and data of a fresh file' : ' only'} (no statx attribute in this kernel)`;
  const checks = plural(dax.looks.length, 'check');
  return `proven by ${shown}, in ${checks} (${dax.looks.map(({ when }) => when).join(', ')})`;
}

/** Says of each further device whether DAX is in use there. */
function describeDevices({ devices = [], control }: UnitResult): string[] {
  return devices.map(({ variable, use, dax }) => {
    if (use === 'log') return `${variable}: a log, which is written without DAX`;
    if (use === 'record') return `${variable}: what dm-log-writes records, without DAX`;
    if (control) return `${variable}: realtime data, DAX not in use`;
    return `${variable}: realtime data, DAX ${dax ? 'proven by statx of a fresh file' : 'not proven'}`;
  });
}

function formatFindings({ findings, omitted }: UnitResult): string[] {
  const groups = groupFindings(findings, omitted);
  const shown = groups.slice(0, MOST_KINDS);
  const lines = shown.flatMap((group) => {
    const others = describeOthers(group);
    return [
      field('finding', describeFirst(group.finding)),
      ...(others === undefined ? [] : [field('', others)]),
      ...describeEvidence(group).map((sentence) => field('', sentence)),
    ];
  });
  const rest = groups.length > shown.length ? [describeRest(groups.slice(MOST_KINDS))] : [];
  return [...lines, ...[...rest, ...describeShared(groups)].map((line) => field('', line))];
}

function formatCounts({ units, durationSeconds }: RunResult): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: units.filter((unit) => unit.verdict === verdict).length,
  })).filter(({ count }) => count > 0);
  return `${plural(units.length, 'unit')} in ${formatSeconds(durationSeconds)}: ${counts
    .map(({ verdict, count }) => `${count} ${verdict}`)
    .join(', ')}`;
}
