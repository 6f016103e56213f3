/**
 * Lines that a mailer has wrapped. A line may go on in the next one where it is about as long as
 * mailers make them, and where the first word of the next one had no room in it.
 */
const SHORTEST = 50;
const LONGEST = 80;
/** A mailer that wraps earlier than here is none that people use. */
const NARROWEST = 64;

export function mayGoOn(line: string, next: string): boolean {
  const { length } = line;
  if (length < SHORTEST || length > LONGEST) return false;
  const blank = next.indexOf(' ');
  return length + 1 + (blank < 0 ? next.length : blank) > NARROWEST;
}
