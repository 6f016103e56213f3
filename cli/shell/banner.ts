import { deviceWords } from '../guest/layers.js';
import { expectation } from '../launch/expectation.js';
import type { Prepared } from '../launch/prepared.js';
import type { Unit } from '../plan/unit.js';
import { readProof } from '../verdict/dax-proof.js';
import type { GdbHelp } from './gdb.js';
import { HOW_TO_LEAVE } from './leave.js';
import type { Known } from './session.js';

/** The first lines of a session on the terminal. */
export function banner(
  unit: Unit,
  prepared: Prepared,
  { proofs }: Known,
  { images, gdb }: { images: readonly string[]; gdb: GdbHelp | undefined },
): string {
  const { kernel, accelerator } = prepared;
  const head = `${kernel.release} from ${unit.kernelSpec}, ${deviceWords(unit.shape)}, ${accelerator}`;
  return [
    field('kernel', head),
    field('driver', describeModule(unit, prepared)),
    ...(images.length > 0 ? ofImages(unit, images) : ofMounts(unit, prepared, proofs)),
    ...(gdb ? gdbLines(gdb) : []),
    field('leave', `exit or Ctrl-D; ${HOW_TO_LEAVE} if the guest hangs`),
  ].join('\n');
}

function describeModule({ fs, variant }: Unit, { module }: Prepared): string {
  if (!module) return `${fs}, built in`;
  const whose = module.origin === 'built' ? "built from the kernel's source" : "the kernel's own";
  const changed = variant === 'base' ? '' : ', with your changes';
  return `${fs}, module ${whose}${changed}, build id ${module.buildId.slice(0, 12)}`;
}

function ofMounts(unit: Unit, prepared: Prepared, proofs: Known['proofs']): string[] {
  const expected = expectation(unit, prepared);
  const states = proofs.map((proof) => ({ proof, state: readProof(proof, expected) }));
  const problems = states.flatMap(({ proof, state }) =>
    [...state.problems, ...state.gaps].map((problem) => `${proof.device}: ${problem}`),
  );
  const first = states[0]?.state;
  const dax = unit.control
    ? `not in use, as requested (${first?.mountOptions})`
    : `proven by mount option${first?.statxDax ? ' and statx of a fresh file' : ''} (${first?.mountOptions})`;
  const names: Record<string, string> = {
    '/mnt/test': '$TEST_DEV on $TEST_DIR',
    '/mnt/scratch': '$SCRATCH_DEV on $SCRATCH_MNT',
  };
  return [
    field('DAX', problems.length > 0 ? `NOT PROVEN: ${problems.join('; ')}` : dax),
    ...states.map(({ proof }) =>
      field('mounted', `${proof.device} on ${proof.directory} (${names[proof.directory] ?? '?'})`),
    ),
  ];
}

function ofImages({ fs, mountOptions }: Unit, images: readonly string[]): string[] {
  const options = mountOptions === '' ? '' : ` -o ${mountOptions}`;
  const look =
    fs === 'xfs'
      ? 'xfs_db -r $TEST_DEV; xfs_repair -n $TEST_DEV'
      : 'debugfs $TEST_DEV; e2fsck -fn $TEST_DEV';
  return [
    ...images.map((image) => field('image', image)),
    field('mounted', `nothing: mount -t ${fs}${options} $TEST_DEV $TEST_DIR`),
    field('look', look),
  ];
}

export function gdbLines({ command, notes, module }: GdbHelp): string[] {
  return [
    field('gdb', command),
    ...(module ? [field('in gdb', module)] : []),
    ...notes.map((note) => field('', note)),
  ];
}

function field(name: string, value: string): string {
  return `${name.padEnd(8)} ${value}`;
}
