import { escapeComma } from './option-list.js';

/**
 * The parts of QEMU's command line that let it record and replay a machine instruction by instruction.
 *
 * QEMU counts instructions (`-icount`) and derives the guest's time from the count. With `rr=record` it writes
 * everything that enters the machine from outside to a file, each with the count at which it entered
 * (docs/system/replay.rst of QEMU). One CPU and emulation only.
 */

/** A port of the guest, and the descriptor of our end. */
export interface Port {
  name: string;
  descriptor: number;
}

/**
 * Each instruction takes 2 to this power nanoseconds of the guest's time. With 3 a guest executes 125 million
 * instructions a second, about what emulation reaches, so that time limits in the guest mean what they say.
 */
export const INSTRUCTION_SHIFT = 3;

/** A PC gives its first four serial ports to the guest (hw/char/serial-isa.c, MAX_ISA_SERIAL_PORTS). */
const GUEST_PORTS = 4;

/**
 * Connects ports to devices whose input QEMU records. It records the input of `-serial`, not that of
 * `-chardev` (chardev/char.c, qemu_chr_new_from_opts). The serial ports after the fourth are not part of the
 * machine, so other devices can use them. The console is the first serial port.
 */
export function recordedPorts(ports: readonly Port[]): string[] {
  const unused = Array.from({ length: GUEST_PORTS - 1 }, () => ['-serial', 'null']).flat();
  const own = ports.flatMap(({ name, descriptor }, index) => [
    ...['-serial', `unix:fd=${descriptor}`],
    ...['-device', `virtserialport,chardev=serial${GUEST_PORTS + index},name=daxrepro.${name}`],
  ]);
  return [...unused, ...own];
}

/**
 * @param execution the file to record in; undefined: only count instructions, for a checkpoint from which
 *   recorded machines are cloned
 */
export function recordingArguments(execution: string | undefined): string[] {
  const shift = `shift=${INSTRUCTION_SHIFT}`;
  if (execution === undefined) return ['-icount', shift];
  return [
    ...['-icount', `${shift},${recordInto(execution)}`],
    // A machine that powers off or panics waits, so that its instructions can be read.
    '-no-shutdown',
  ];
}

const recordInto = (file: string) => `rr=record,rrfile=${escapeComma(file)}`;

/** The same command line for a replay of that file; undefined if it does not record into `recorded`. */
export function replayingArgv(
  argv: readonly string[],
  recorded: string,
  file: string,
): string[] | undefined {
  const before = recordInto(recorded);
  const after = `rr=replay,rrfile=${escapeComma(file)}`;
  if (argv.filter((word) => word.endsWith(before)).length !== 1) return undefined;
  return argv.map((word) => (word.endsWith(before) ? word.replace(before, () => after) : word));
}
