import { spawnSync } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { encodeFrame, type Frame, FrameReader, sizeFrame } from './frames.js';
import { LeaveKeys } from './leave.js';
import { Screen } from './screen.js';

/** Carries bytes between our own streams and a program in the guest. */
export interface Carrier {
  /** Resolves with the program's exit code once all of its output has arrived. */
  readonly ended: Promise<number>;
  /** Restores our streams. May be called more than once. */
  close(): void;
}

export interface CarrierOptions {
  /** Called when the program starts; no bytes are carried until it resolves. */
  begin: () => Promise<void>;
  /** Called to end the session at once: by key, if the terminal is gone, or if the guest sends garbage. */
  leave: (reason: string) => void;
}

/** For both kinds of carriers: reads frames, no faster than our streams accept them. */
function takeFrames(
  port: Duplex,
  streams: Record<string, Writable>,
  { begin, leave }: CarrierOptions,
  onBegin: () => void,
): { ended: Promise<number>; written: Set<(bytes: Uint8Array) => void> } {
  const reader = new FrameReader();
  const written = new Set<(bytes: Uint8Array) => void>();
  let end: (status: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  port.on('data', (chunk: Buffer) => {
    const frames = reader.push(chunk);
    if (!frames) {
      port.pause();
      leave('the guest sent something other than terminal frames');
      return;
    }
    take(frames);
  });
  const take = (frames: readonly Frame[]) => {
    for (const [index, { letter, bytes }] of frames.entries()) {
      const stream = streams[letter];
      if (stream) {
        for (const watch of written) watch(bytes);
        if (!stream.write(bytes)) {
          port.pause();
          stream.once('drain', () => port.resume());
        }
      } else if (letter === 'b') {
        port.pause();
        void begin().then(() => {
          onBegin();
          port.resume();
          take(frames.slice(index + 1));
        });
        return;
      } else if (letter === 'x' && bytes.length === 4) {
        end(bytes.readUInt32BE(0));
      }
    }
  };
  return { ended, written };
}

/** The parts of our terminal that a session needs. */
export interface OurTerminal {
  input: Readable & { setRawMode(raw: boolean): unknown };
  output: Writable & { rows?: number; columns?: number };
}

/**
 * Node's raw mode still turns each LF into CR LF (libuv, uv_tty_set_mode). The guest's terminal already
 * does that, and full-screen programs need a bare LF. Leaving raw mode undoes this too.
 */
function makeRaw(input: OurTerminal['input']): void {
  input.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Connects our terminal to the program: forwards each key, and changes of the size. However the session
 * or daxrepro ends, the terminal is restored, except after SIGKILL.
 */
export function carryTerminal(
  port: Duplex,
  { input, output }: OurTerminal,
  options: CarrierOptions,
): Carrier {
  const keys = new LeaveKeys();
  const screen = new Screen();
  let raw = false;
  const typed = (bytes: Buffer) => {
    if (keys.typed(bytes, performance.now())) options.leave('it was left');
    else port.write(encodeFrame('d', bytes));
  };
  const gone = () => options.leave('the terminal is gone');
  const resized = () => port.write(sizeFrame(output));
  const close = () => {
    input.off('data', typed).off('end', gone).off('error', gone);
    output.off('resize', resized);
    for (const name of SIGNALS) process.off(name, close);
    process.off('exit', close);
    if (!raw) return;
    raw = false;
    const undo = screen.restore();
    if (undo !== '') output.write(undo);
    try {
      input.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
    input.pause();
  };
  const { ended, written } = takeFrames(port, { o: output }, options, () => {
    raw = true;
    makeRaw(input);
    // Before handlers that print to the terminal.
    for (const name of SIGNALS) process.prependListener(name, close);
    process.on('exit', close);
    input.on('data', typed).on('end', gone).on('error', gone);
    output.on('resize', resized);
    resized();
    input.resume();
  });
  written.add((bytes) => screen.watch(bytes));
  return { ended, close };
}

/** Connects our three standard streams to the program. */
export function carryPipes(
  port: Duplex,
  { input, output, errors }: { input: Readable; output: Writable; errors: Writable },
  options: CarrierOptions,
): Carrier {
  const given = (bytes: Buffer) => {
    if (port.write(encodeFrame('d', bytes))) return;
    input.pause();
    port.once('drain', () => input.resume());
  };
  const over = () => port.write(encodeFrame('e'));
  const close = () => {
    input.off('data', given).off('end', over).off('error', over);
    input.pause();
  };
  const { ended } = takeFrames(port, { o: output, r: errors }, options, () => {
    input.on('data', given).on('end', over).on('error', over);
    input.resume();
  });
  return { ended, close };
}
