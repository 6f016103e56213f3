import { hasInputs, readInputs } from '../../inputs/read.js';
import type { Inputs } from '../../inputs/schema.js';
import { failure, type Outcome, success } from '../../outcome.js';
import type { KeptResult } from '../../results/read.js';
import type { Format } from '../formats.js';
import { DEFAULT_ORIGIN, type KcidbOptions } from './document.js';

/** The options of a KCIDB report from the command line, and the kept inputs of its runs. */

export interface KcidbWords {
  origin?: string;
  artifactsUrl?: string;
}

export async function kcidbOptions(
  format: Format,
  kept: readonly KeptResult[],
  { origin = DEFAULT_ORIGIN, artifactsUrl }: KcidbWords,
): Promise<Outcome<KcidbOptions>> {
  if (!/^[a-z0-9_]+$/.test(origin)) {
    return failure(
      'usage',
      `--origin ${origin} is not the name of an origin at KCIDB`,
      'Use lower-case letters, digits and _',
    );
  }
  if (artifactsUrl !== undefined && !isWebAddress(artifactsUrl)) {
    return failure(
      'usage',
      `--artifacts-url ${artifactsUrl} is not an address`,
      'Give one such as https://ci.example.org/runs',
    );
  }
  const inputs = new Map<string, Inputs>();
  for (const { directory } of format === 'kcidb' ? kept : []) {
    if (!hasInputs(directory)) continue;
    const read = await readInputs(directory);
    if (!read.ok) return read;
    inputs.set(directory, read.value.inputs);
  }
  return success({ origin, artifactsUrl, inputs });
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
