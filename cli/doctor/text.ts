import { styleText } from 'node:util';
import { alignColumns } from '../columns.js';
import { escapeForTerminal } from '../findings/escape.js';
import { plural } from '../words.js';
import type { DoctorReport } from './report.js';

/** The report of `daxrepro doctor` as text. */
export function renderDoctor(report: DoctorReport, colour: boolean): string {
  const paint = (style: 'bold' | 'red' | 'yellow' | 'green', text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => `  ${line}`)];
  const { tool, system, programs } = report;
  return [
    `${tool.name} ${tool.version} on ${system}`,
    ...section(
      'Programs',
      alignColumns(programs.map(({ name, version, path }) => [name, version ?? 'unknown', path])),
    ),
    ...section('Missing', missingLines(report)),
    ...section('Machine', machineLines(report)),
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
      ? paint('green', 'This machine can run tests.')
      : paint('red', 'This machine cannot run tests.'),
  ].join('\n');
}

function missingLines({ missing, install }: DoctorReport): string[] {
  const rows = missing.map(({ package: name, names, purpose }) => [
    names.join(' '),
    name === null ? '(no package)' : `package ${name}`,
    purpose,
  ]);
  return [...alignColumns(rows), ...(install === null ? [] : [`Install: ${install}`])];
}

function machineLines({
  machine,
  kvm,
  cache,
  temporary,
  parentDeath,
  cxl,
}: DoctorReport): string[] {
  return alignColumns([
    ['processors', String(machine.processors)],
    ['memory', `${gib(machine.memory)}, ${gib(machine.memoryAvailable)} available`],
    ['KVM', kvmText(kvm)],
    ['cache', `${cache.directory}, ${gib(cache.free)} free`],
    ['temporary files', `${temporary.directory}, ${gib(temporary.free)} free`],
    ['kernels', cache.kernels.join(', ') || 'none in the cache yet'],
    ['CXL memory', cxlText(cxl)],
    ['child processes', parentDeath ? 'end with daxrepro' : 'can outlive daxrepro'],
  ]);
}

function configurationLines(configuration: DoctorReport['configuration']): string[] {
  if (!configuration) return [];
  const { file, values } = configuration;
  const rows = Object.entries(values).map(([name, value]) => [name, String(value)]);
  return alignColumns([['file', file], ...rows]).map(escapeForTerminal);
}

function suiteLines(suite: DoctorReport['suite']): string[] {
  if (!suite?.directory || suite.problem) return [];
  const rows = [
    ['tree', `${suite.directory}, ${suite.tests} tests`],
    ...suite.devices.map(({ option, tests }) => [
      `--${option}`,
      `needed by ${plural(tests.length, 'test')}: ${tests.join(' ')}`,
    ]),
    ...suite.unbuilt.map(({ path, scripts }) => [
      'not built',
      `${path}, used by ${plural(scripts, 'script')}`,
    ]),
    ...suite.missing.map(({ names, package: name }) => [
      'missing',
      `${names.join(' ')}${name === null ? '' : ` (package ${name})`}, needed by some tests`,
    ]),
  ];
  return alignColumns(rows).map(escapeForTerminal);
}

function cxlText({ usable, qemu, problem }: DoctorReport['cxl']): string {
  return usable
    ? `usable with QEMU ${qemu?.version}, ${qemu?.program}`
    : `not usable: ${problem}; \`daxrepro setup --cxl\` changes that`;
}

function kvmText(kvm: DoctorReport['kvm']): string {
  switch (kvm.state) {
    case 'absent':
      return 'no /dev/kvm: guests are emulated (TCG), which is slower';
    case 'denied':
      return `no permission to open /dev/kvm: ${kvm.remedy}`;
    case 'broken':
      return `opening /dev/kvm failed (${kvm.reason}): guests are emulated (TCG)`;
    case 'opens':
      if (kvm.trial === undefined) return '/dev/kvm opens; the first run tests it with a guest';
      return kvm.trial.usable
        ? `usable: ${kvm.trial.reason}`
        : `/dev/kvm opens, but is not usable: ${kvm.trial.reason}`;
  }
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
