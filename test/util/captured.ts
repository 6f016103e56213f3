/** Captures the output of a command that runs in this process. */
export async function captured(command: () => number | Promise<number>) {
  let [stdout, stderr] = ['', ''];
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += String(text);
    return true;
  };
  process.stderr.write = (text: string | Uint8Array) => {
    stderr += String(text);
    return true;
  };
  try {
    return { code: await command(), stdout, stderr };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}
