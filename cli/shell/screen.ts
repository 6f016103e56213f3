/**
 * What a program in the guest has switched on at our terminal and would switch off at its end. Where it
 * never comes to that end, a panic while an editor is open, we do it: the control sequences are
 * xterm's (its ctlseqs document), which the others follow.
 */

/** Modes that are off at a shell's prompt: keys, screens, mouse, focus, pasting. */
const OFF = new Set([
  1, 5, 9, 47, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004,
]);

/** The cursor is visible, and lines wrap. */
const ON = new Set([7, 25]);

/** Private modes (DECSET, DECRST), the keypad (DECKPAM, DECKPNM), the scrolling region (DECSTBM). */
const SEQUENCE = /\x1b(?:\[\?([\d;]{1,40})([hl])|([=>])|\[([\d;]{0,16})r)/g;

/** A sequence that is cut by the end of a piece is not longer. */
const LONGEST_BEGIN = 48;

export class Screen {
  readonly #changed = new Set<number>();
  #keypad = false;
  #region = false;
  #used = false;
  #begin = '';

  /** Looks at what is written to the terminal, in the pieces in which it is. */
  watch(bytes: Uint8Array): void {
    const text = this.#begin + Buffer.from(bytes).toString('latin1');
    const last = text.lastIndexOf('\x1b');
    this.#used ||= last >= 0;
    // Looked at twice, where it was whole already, it says the same.
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

  /** What makes the terminal as it was; empty where nothing was done to it. */
  restore(): string {
    const modes = [...this.#changed].map((mode) => `\x1b[?${mode}${ON.has(mode) ? 'h' : 'l'}`);
    const all = [
      ...modes,
      ...(this.#keypad ? ['\x1b>'] : []),
      // It takes the cursor to the top.
      ...(this.#region ? ['\x1b7\x1b[r\x1b8'] : []),
      // Colours, and the other set of characters.
      ...(this.#used ? ['\x1b[0m\x0f'] : []),
    ];
    this.#changed.clear();
    this.#keypad = this.#region = this.#used = false;
    return all.join('');
  }
}
