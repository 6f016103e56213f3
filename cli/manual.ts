import { manualPage } from './command-line/manual-page.js';
import { commandLine } from './command-line/program.js';

/** daxrepro(1), for bundle.js, which loads this out of what it has just made. */
export function page(version: string): string {
  return manualPage(commandLine(version), version);
}
