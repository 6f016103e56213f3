import { readFileSync } from 'node:fs';

/** A recorded log of `fixtures/logs/`; how they were made: README.md there. */
export function recorded(name: string): string {
  return readFileSync(new URL(`../../fixtures/logs/${name}`, import.meta.url), 'utf8');
}
