import { type Examined, examine } from '../doctor/examine.js';
import { renderDoctor } from '../doctor/text.js';
import { EXIT } from '../outcome.js';
import { withPatience } from '../report/patience.js';

export interface DoctorOptions {
  json?: boolean;
  /** Also check this xfstests tree, as for `run`. */
  suite?: string;
}

export interface DoctorContext extends Examined {
  print?: (text: string) => void;
}

/** `daxrepro doctor`. Changes nothing. */
export async function doctorCommand(
  { json = false, suite }: DoctorOptions,
  context: DoctorContext = {},
): Promise<number> {
  const print = context.print ?? ((text) => process.stdout.write(`${text}\n`));
  const report = await withPatience(
    () => 'checking this machine, and whether KVM can run a guest',
    () => examine(context, suite),
  );
  if (json) print(JSON.stringify(report, undefined, 2));
  else {
    const colour = process.stdout.isTTY === true && !process.env['NO_COLOR'];
    print(renderDoctor(report, colour));
  }
  return report.usable ? EXIT.ok : EXIT.failed;
}
