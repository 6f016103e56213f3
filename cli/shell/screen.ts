/**
 * Tracks the terminal modes that a program in the guest has switched on. If the guest dies before the
 * program switches them off, for example in an editor, we do it. The control sequences are those of xterm
 * (its ctlseqs document), which other terminals follow.
 */

/** Modes that are off at a shell's prompt: keys, screens, mouse, focus, pasting. */
const OFF = new Set([
  1, 5, 9, 47, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004,
]);

/** The cursor is visible, and lines wrap. */
const ON = new Set([7, 25]);

/** Private modes (DECSET, DECRST), the keypad (DECKPAM, DECKPNM), the scrolling region (DECSTBM). */
const SEQUENCE = /\x1b(?:\[\?([\d;]{1,40})([hl])|([=>])|\[([\d;]{0,16})r)/g;

/** Longest start of a sequence at the end of a chunk. */
const LONGEST_BEGIN = 48;

export class Screen {
  readonly #changed = new Set<number>();
  #keypad = false;
  #region = false;
  #used = false;
  #begin = '';

  /** Parses the output to the terminal, chunk by chunk. */
  watch(bytes: Uint8Array): void {
    const text = this.#begin + Buffer.from(bytes).toString('latin1');
    const last = text.lastIndexOf('\x1b');
    this.#used ||= last >= 0;
    // Parsing a complete sequence twice does no harm.
    this.#begin = last >= 0 && text.length - last < LONGEST_BEGIN ? text.slice(last) : '';
    for (const [, modes, change, keypad, region] of text.matchAll(SEQUENCE)) {
      if (keypad !== undefined) this.#keypad = keypad === '=';
      else if (region !== undefined) this.#region = region !== '';
      else for (const mode of (modes ?? '').split(';')) this.#set(Number(mode), change === 'h');
    }
  }

  #set(mode: number, on: boolean): void {
    if ((OFF.has(mode) && on) || (ON.has(mode) && !on)) this.#changed.add(mode);
    else this.#changed.delete(mode);
  }

  /** The sequences that restore the terminal; empty if nothing was changed. */
  restore(): string {
    const modes = [...this.#changed].map((mode) => `\x1b[?${mode}${ON.has(mode) ? 'h' : 'l'}`);
    const all = [
      ...modes,
      ...(this.#keypad ? ['\x1b>'] : []),
      // Resetting the region moves the cursor to the top.
      ...(this.#region ? ['\x1b7\x1b[r\x1b8'] : []),
      // Colours and the character set.
      ...(this.#used ? ['\x1b[0m\x0f'] : []),
    ];
    this.#changed.clear();
    this.#keypad = this.#region = this.#used = false;
    return all.join('');
  }
}
