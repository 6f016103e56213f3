import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro doctor`: its arguments and options. */
export function defineDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .summary('whether this machine can do the work')
    .description('Shows what is there, what is missing and how to get it, and whether KVM works.')
    .option('--suite <suite>', 'look at an xfstests tree, too: its directory, or xfstests')
    .option('--json', 'as JSON on stdout')
    .action(async (options) => {
      const { doctorCommand } = await import('../commands/doctor.js');
      const { probeKvmHere } = await import('../run/probe-kvm.js');
      await finish(doctorCommand(options, { probeKvm: probeKvmHere }));
    });
  document(doctor, {
    examples: [
      ['daxrepro doctor', 'what is missing, and the command that installs it'],
      ['daxrepro doctor --suite ~/xfstests-dev', 'also what of a tree is not built'],
    ],
    exitCodes: [
      ['0', 'a run could work'],
      ['1', 'it could not, and why'],
    ],
  });
}
