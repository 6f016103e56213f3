import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';

/**
 * Bytes or characters of a piece. V8 allocates a longer text outside its young generation and maps
 * fresh memory for each: that took more time than the parsers did.
 */
const LONGEST = 1 << 16;

/**
 * The text of a log that comes in chunks, in pieces of at most 64 Ki characters. Chunks of bytes are
 * UTF-8: a character that a chunk cuts waits for the next one, and what is no UTF-8 becomes U+FFFD.
 */
export class TextPieces {
  readonly #decoder = new StringDecoder('utf8');
  /** Whether the bytes so far may end within a character. */
  #isWithin = false;

  *of(chunk: string | Uint8Array): Generator<string> {
    for (let start = 0; start < chunk.length; start += LONGEST) {
      const end = start + LONGEST;
      yield typeof chunk === 'string'
        ? chunk.slice(start, end)
        : this.#decoded(chunk.subarray(start, end));
    }
  }

  /** What is left of a character whose other bytes did not come. */
  end(): string {
    this.#isWithin = false;
    return this.#decoder.end();
  }

  #decoded(piece: Uint8Array): string {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    // Nearly all of a log is ASCII, which needs no decoding.
    if (!this.#isWithin && isAscii(bytes)) return bytes.toString('latin1');
    this.#isWithin = (bytes.at(-1) ?? 0) >= 0x80;
    return this.#decoder.write(bytes);
  }
}
