/**
 * Lets equal values share one object. Thousands of results of one run name the same kernel, the same
 * machine and the same proof of DAX; kept once, a large run fits into memory.
 */
export class SharedValues {
  readonly #known = new Map<string, unknown>();

  of<Value>(value: Value): Value {
    if (typeof value !== 'object' || value === null) return value;
    const key = JSON.stringify(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known as Value;
    this.#known.set(key, value);
    return value;
  }

  /** The same object with the values of its fields shared. */
  fieldsOf<Value extends object>(value: Value): Value {
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner === 'object') value[name as keyof Value] = this.of(inner);
    }
    return value;
  }
}
