import { manualPage } from './command-line/manual-page.js';
import { commandLine } from './command-line/program.js';

/** Makes daxrepro(1). bundle.js loads this file from its own output. */
export function page(version: string): string {
  return manualPage(commandLine(version), version);
}
