import { isBuiltFromSource } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import { findProgram } from '../system/programs.js';
import { fullBuildSpec } from '../variant/reach.js';
import { type MachineContext, type PrepareRequest, prepareMachine } from './prepare.js';
import { UNKNOWN_KERNEL } from './unprepared.js';

/**
 * Everything that QEMU's command line names. No kernel and no module is built: for a kernel that a run would
 * build, the command line has a description in place of the paths.
 */
export async function prepareDry(
  request: PrepareRequest,
  context: MachineContext,
): Promise<Outcome<Prepared>> {
  const { kernel: spec, variant, accelerator, build = {}, suite } = request;
  const full = await fullBuildSpec(spec, variant, context);
  if (!full.ok) return full;
  const built = full.value?.spec ?? spec;
  if (isBuiltFromSource(built)) return toBeBuilt(built, request, context);
  const kernel = await resolveKernel(spec, context, build);
  if (!kernel.ok) return kernel;
  const machine = await prepareMachine(kernel.value, accelerator, context, suite ? [suite] : []);
  return machine.ok ? success({ ...machine.value, module: undefined }) : machine;
}

function toBeBuilt(
  spec: string,
  { variant, accelerator }: PrepareRequest,
  context: MachineContext,
): Outcome<Prepared> {
  const qemu = context.qemu ?? findProgram('qemu-system-x86_64');
  if (!qemu) {
    return failure(
      'program-missing',
      'This machine has no qemu-system-x86_64',
      '`daxrepro setup` installs what is missing',
    );
  }
  const what = variant.changes.length === 0 ? spec : `${spec} with ${variant.name}`;
  const image = `<kernel of ${what}, to be built>`;
  context.progress({
    type: 'note',
    text: `A run builds ${what}. A dry run does not, so the command line describes the kernel and the guest image`,
  });
  return success({
    qemu,
    kernel: { ...UNKNOWN_KERNEL, spec, image, bootImage: image },
    initramfs: `<guest image for ${what}, to be made>`,
    accelerator: accelerator === 'kvm' ? 'kvm' : 'tcg',
    witness: {},
    module: undefined,
  });
}
