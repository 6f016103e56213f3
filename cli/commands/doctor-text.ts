import { styleText } from 'node:util';
import { escapeForTerminal } from '../findings/escape.js';
import type { DoctorReport } from './doctor-report.js';

/** The report of `daxrepro doctor` as people read it. */
export function renderDoctor(report: DoctorReport, colour: boolean): string {
  const paint = (style: 'bold' | 'red' | 'yellow' | 'green', text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => `  ${line}`)];
  const { tool, system, programs, missing, install, cache, temporary } = report;
  return [
    `${tool.name} ${tool.version} on ${system}`,
    ...section(
      'Programs',
      columns(programs.map(({ name, version, path }) => [name, version ?? 'unknown', path])),
    ),
    ...section('Missing', [
      ...columns(
        missing.map(({ package: name, names, purpose }) => [
          names.join(' '),
          name === null ? '(no package)' : `package ${name}`,
          purpose,
        ]),
      ),
      ...(install === null ? [] : [`Install: ${install}`]),
    ]),
    ...section(
      'Machine',
      columns([
        ['processors', String(report.machine.processors)],
        [
          'memory',
          `${gib(report.machine.memory)}, ${gib(report.machine.memoryAvailable)} available`,
        ],
        ['KVM', kvmText(report.kvm)],
        ['cache', `${cache.directory}, ${gib(cache.free)} free`],
        ['temporary files', `${temporary.directory}, ${gib(temporary.free)} free`],
        ['kernels', cache.kernels.join(', ') || 'none in the cache yet'],
        ['bound children', report.parentDeath ? 'work' : 'do not work'],
      ]),
    ),
    ...section('Project', configurationLines(report.configuration)),
    ...section('xfstests', suiteLines(report.suite)),
    ...section(
      'Notes',
      report.notes.map((note) => paint('yellow', `${note}.`)),
    ),
    ...section(
      'Problems',
      report.problems.map((problem) => paint('red', `${problem}.`)),
    ),
    '',
    report.usable
      ? paint('green', 'A run can work here.')
      : paint('red', 'A run cannot work here.'),
  ].join('\n');
}

function configurationLines(configuration: DoctorReport['configuration']): string[] {
  if (!configuration) return [];
  const { file, values } = configuration;
  const rows = Object.entries(values).map(([name, value]) => [name, String(value)]);
  return columns([['file', file], ...rows]).map(escapeForTerminal);
}

function suiteLines(suite: DoctorReport['suite']): string[] {
  if (!suite?.directory || suite.problem) return [];
  const rows = [
    ['tree', `${suite.directory}, ${suite.tests} tests`],
    ...suite.unbuilt.map(({ path, scripts }) => [
      'not built',
      `${path}, which ${scripts} ${scripts === 1 ? 'script names' : 'scripts name'}`,
    ]),
    ...suite.missing.map(({ names, package: name }) => [
      'missing',
      `${names.join(' ')}${name === null ? '' : ` (package ${name})`}, which some tests want`,
    ]),
  ];
  return columns(rows).map(escapeForTerminal);
}

function kvmText(kvm: DoctorReport['kvm']): string {
  switch (kvm.state) {
    case 'absent':
      return 'no /dev/kvm: guests are emulated (TCG), which is slower';
    case 'denied':
      return `/dev/kvm may not be opened: ${kvm.remedy}`;
    case 'broken':
      return `/dev/kvm does not open (${kvm.reason}): guests are emulated (TCG)`;
    case 'opens':
      if (kvm.trial === undefined) return '/dev/kvm opens; whether guests run, a run finds out';
      return kvm.trial.usable
        ? `usable: ${kvm.trial.reason}`
        : `/dev/kvm opens, but is not usable: ${kvm.trial.reason}`;
  }
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** All but the last of each row padded to its column's width. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(width(at)))).join('  '),
  );
}
