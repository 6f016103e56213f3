/** Ctrl-] */
const KEY = 0x1d;

/** Presses, within milliseconds: like systemd-nspawn and machinectl. */
const TIMES = 3;
const WITHIN = 1000;

/** Recognises the keys that end a session even if the guest hangs. The guest gets the keys too. */
export class LeaveKeys {
  #pressed: number[] = [];

  /**
   * @param now milliseconds
   * @returns whether the session should end
   */
  typed(bytes: Uint8Array, now: number): boolean {
    for (const byte of bytes) {
      this.#pressed = byte === KEY ? [...this.#pressed, now].slice(-TIMES) : [];
      const [first] = this.#pressed;
      if (first !== undefined && this.#pressed.length === TIMES && now - first <= WITHIN)
        return true;
    }
    return false;
  }
}

export const HOW_TO_LEAVE = 'Ctrl-] three times';
