import { escapeForTerminal } from '../findings/escape.js';

/** Untrusted text and numbers in XML 1.0. */

/** Text of a guest may have characters that XML 1.0 cannot represent. */
export function text(value: string): string {
  return escapeForTerminal(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\uFFFE\uFFFF]/g, '\uFFFD');
}

export function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;');
}

/** Never with an exponent, which schemas do not allow. */
export function seconds(value: number): string {
  return String(Number(value.toFixed(2)));
}
