/**
 * Lines that a mailer wrapped. A line may continue in the next one if it is about as long as
 * mailers make lines, and the next one's first word did not fit.
 */
const SHORTEST = 50;
const LONGEST = 80;
/** No mailer in use wraps earlier than this. */
const NARROWEST = 64;

export function mayGoOn(line: string, next: string): boolean {
  const { length } = line;
  if (length < SHORTEST || length > LONGEST) return false;
  const blank = next.indexOf(' ');
  return length + 1 + (blank < 0 ? next.length : blank) > NARROWEST;
}
