import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro doctor`: its arguments and options. */
export function defineDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .summary('check whether this machine can run tests')
    .description(
      'Shows what is installed, what is missing and how to get it, and whether KVM works.',
    )
    .option('--suite <suite>', 'also check an xfstests tree: its directory, or xfstests')
    .option('--json', 'print JSON on stdout')
    .action(async (options) => {
      const { doctorCommand } = await import('../commands/doctor.js');
      const { probeKvmHere } = await import('../run/probe-kvm.js');
      await finish(doctorCommand(options, { probeKvm: probeKvmHere }));
    });
  document(doctor, {
    examples: [
      ['daxrepro doctor', 'what is missing, and the command that installs it'],
      ['daxrepro doctor --suite ~/xfstests-dev', 'also which programs of the tree are not built'],
    ],
    exitCodes: [
      ['0', 'this machine can run tests'],
      ['1', 'it cannot; the output says why'],
    ],
  });
}
