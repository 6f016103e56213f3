/** A line of the console, or the part of it that the kernel printed in one piece. */
export interface KernelLine {
  /** As the kernel's code printed it: without priority, time stamp, caller and escape sequences. */
  text: string;
  /** Whether it had a time stamp or a priority; output of programs has none. */
  stamped: boolean;
}

/** Terminal sequences that firmware prints before the kernel's first line. */
const ESCAPE_SEQUENCES = /\x1b(?:\[[0-9;?]{0,16}[A-Za-z]|[c()78=>])/g;
const STAMP = /\[ {0,6}\d{1,8}\.\d{6}\]/g;
/** `<4>` as the console may have it, `4,1234,5678,-;` as /dev/kmsg has it. */
const PRIORITY = /^(?:<\d{1,3}>|\d{1,3},\d{1,12},\d{1,16},[^;]{1,60};)/;
const CALLER = /^(?: ?\[ {0,6}[TC]\d{1,8}\])? ?/;

/**
 * The pieces of a line, each from one writer: where two processors print at the same time, the second
 * one's time stamp stands in the middle of the first one's line. What stands before the first stamp,
 * if anything, is a program's that ended no line, or the kernel's without a stamp.
 */
export function kernelLines(raw: string): KernelLine[] {
  const line = raw.includes('\x1b') ? raw.replace(ESCAPE_SEQUENCES, '') : raw;
  STAMP.lastIndex = 0;
  let stamp = line.includes('[') ? STAMP.exec(line) : null;
  if (!stamp) return kernelLine(line, false);
  const pieces = stamp.index === 0 ? [] : kernelLine(line.slice(0, stamp.index), false);
  while (stamp) {
    const from = STAMP.lastIndex;
    stamp = STAMP.exec(line);
    pieces.push(...kernelLine(line.slice(from, stamp?.index), true));
  }
  return pieces;
}

function kernelLine(piece: string, hasStamp: boolean): KernelLine[] {
  const hasPriority = !hasStamp && /^[<\d]/.test(piece);
  const bare = hasPriority ? piece.replace(PRIORITY, '') : piece;
  const text = bare.replace(CALLER, '').trimEnd();
  return text === '' ? [] : [{ text, stamped: hasStamp || bare !== piece }];
}
