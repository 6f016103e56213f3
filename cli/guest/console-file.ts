import { closeSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Outcome, success } from '../outcome.js';
import { storageFailure } from '../store/store.js';
import { makeDeviceFile } from './device-file.js';

/** Milliseconds between two reads: nothing notifies a reader when a file grows. */
const INTERVAL = 25;
/** Bytes per read. */
const PIECE = 64 * 1024;

/**
 * A guest's serial console: a file without a name, which QEMU appends to and this process follows.
 *
 * A write to a file never blocks, so no byte is lost, however busy this process is. QEMU's serial port writes
 * byte by byte, and a socket blocks after 278 unread writes of one byte (Linux, a buffer of 212992 bytes).
 * While it blocks the port queues 16 bytes, and the guest's kernel overwrites them when it has waited long
 * enough (wait_for_lsr in drivers/tty/serial/8250/8250_port.c): 160 ms in 6.1, 2.8 ms in 7.2.
 */
export class ConsoleFile {
  readonly #piece = Buffer.alloc(PIECE);
  #take: (chunk: Buffer) => void = () => {};
  #length = 0;
  #reading = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param descriptor for QEMU to inherit */
  private constructor(readonly descriptor: number) {}

  static make(): Outcome<ConsoleFile> {
    const made = makeDeviceFile(0);
    return made.ok ? success(new ConsoleFile(made.value)) : made;
  }

  /** Bytes that were read so far. */
  get length(): number {
    return this.#length;
  }

  /** @param take receives the bytes in order, as they come */
  follow(take: (chunk: Buffer) => void): void {
    this.#take = take;
    this.#timer = setInterval(() => this.read(), INTERVAL);
  }

  /** Reads what is there now. */
  read(): void {
    // The receiver of a piece may call this again.
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    try {
      for (;;) {
        const got = readSync(this.descriptor, this.#piece, 0, PIECE, this.#length);
        if (got === 0) return;
        this.#length += got;
        this.#take(Buffer.from(this.#piece.subarray(0, got)));
      }
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Reads the rest after QEMU has ended, and frees the file's space. May be called twice.
   *
   * @returns a failure if the disk is full: QEMU silently drops what it cannot write
   */
  close(): Outcome<undefined> {
    if (this.#closed) return success(undefined);
    clearInterval(this.#timer);
    this.read();
    this.#closed = true;
    try {
      writeSync(this.descriptor, this.#piece, 0, PIECE, this.#length);
      return success(undefined);
    } catch (error) {
      return storageFailure(tmpdir(), error);
    } finally {
      closeSync(this.descriptor);
    }
  }
}
