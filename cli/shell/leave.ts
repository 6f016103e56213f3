/** Ctrl-] */
const KEY = 0x1d;

/** How often it is pressed, and in how many milliseconds: as for systemd-nspawn and machinectl. */
const TIMES = 3;
const WITHIN = 1000;

/** What people press to end a session whatever the guest does. The guest sees the keys, too. */
export class LeaveKeys {
  #pressed: number[] = [];

  /**
   * @param now milliseconds
   * @returns whether that was it
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
