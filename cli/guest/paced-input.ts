/**
 * Limits how much is on its way to a guest whose input QEMU records. QEMU queues recorded input before it gives it
 * to a port, and asks the port only once whether it has room. So what arrives while the port's buffers are full is
 * lost: 128 buffers of a page each with Linux. The guest reports how much it has read (lib/reporter.pl).
 */

/** Bytes on their way at most. */
const WINDOW = 256 * 1024;
/** Bytes sent at once. */
const PIECE = 64 * 1024;

export class PacedInput {
  #underWay = 0;
  #tell: () => void = () => {};

  /** The guest has read so many bytes more. */
  received(bytes: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes);
    this.#tell();
  }

  /**
   * Sends the bytes in pieces, no faster than the guest reads.
   *
   * @param write resolves when the piece is on its way
   * @param over resolves when the guest has ended
   */
  async send(
    bytes: Uint8Array,
    write: (piece: Uint8Array) => Promise<void>,
    over: Promise<unknown>,
  ): Promise<void> {
    let ended = false;
    void over.then(() => {
      ended = true;
      this.#tell();
    });
    for (let at = 0; at < bytes.length && !ended; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      while (this.#underWay + piece.length > WINDOW && !ended) {
        await new Promise<void>((resolve) => {
          this.#tell = resolve;
        });
      }
      if (ended) return;
      this.#underWay += piece.length;
      await write(piece);
    }
  }
}
