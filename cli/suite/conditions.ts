/**
 * Conditions of the C preprocessor in exclude files of xfstests-bld, such as
 * `#if LINUX_VERSION_CODE < KERNEL_VERSION(5,10,0)`. They are decided if the kernel's version decides them.
 */

/** The versions that a kernel may have, as `KERNEL_VERSION(a,b,c)`: of debian:6.1, 6.1.0 to 6.1.255. */
export interface KernelVersions {
  low: number;
  high: number;
}

/** As linux/version.h computes it. */
export function kernelVersion(version: number, patchlevel: number, sublevel: number): number {
  return version * 2 ** 16 + patchlevel * 2 ** 8 + Math.min(sublevel, 255);
}

/** Whether it holds; undefined if that depends on more than the version, or on its last number. */
export function decideCondition(
  text: string,
  kernel: KernelVersions | undefined,
): boolean | undefined {
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  const parser = new Parser(tokens, kernel);
  const value = parser.either();
  return parser.isAtEnd() ? truthOf(value) : undefined;
}

/** A number from `low` to `high`; undefined: any. */
type Value = KernelVersions | undefined;

const TOKEN = /\s*(0x[\da-f]+|\d+|[A-Za-z_]\w*|&&|\|\||[<>=!]=|[<>!(),])/iy;

/** undefined if something else is in it. */
function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  const bare = text.replace(/\/\*.*?\*\/|\/\/.*$/g, ' ').trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < bare.length) {
    const [, token] = TOKEN.exec(bare) ?? [];
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

function truthOf(value: Value): boolean | undefined {
  if (!value) return undefined;
  if (value.low > 0 || value.high < 0) return true;
  return value.low === 0 && value.high === 0 ? false : undefined;
}

function numberOf(truth: boolean | undefined): Value {
  return truth === undefined ? undefined : exactly(truth ? 1 : 0);
}

function exactly(value: number): KernelVersions {
  return { low: value, high: value };
}

/** A recursive descent over the operators that such files use. */
class Parser {
  #at = 0;

  constructor(
    readonly tokens: readonly string[],
    readonly kernel: KernelVersions | undefined,
  ) {}

  isAtEnd(): boolean {
    return this.#at === this.tokens.length;
  }

  either(): Value {
    let value = this.both();
    while (this.#takes('||')) {
      const [one, other] = [truthOf(value), truthOf(this.both())];
      value = numberOf(one || other ? true : one === false && other === false ? false : undefined);
    }
    return value;
  }

  both(): Value {
    let value = this.comparison();
    while (this.#takes('&&')) {
      const [one, other] = [truthOf(value), truthOf(this.comparison())];
      const no = one === false || other === false;
      value = numberOf(no ? false : one && other ? true : undefined);
    }
    return value;
  }

  comparison(): Value {
    const left = this.operand();
    const operator = this.tokens[this.#at] ?? '';
    if (!/^(?:[<>]=?|[=!]=)$/.test(operator)) return left;
    this.#at += 1;
    const right = this.operand();
    return left && right ? numberOf(compare(left, operator, right)) : undefined;
  }

  operand(): Value {
    const token = this.tokens[this.#at] ?? '';
    this.#at += 1;
    if (token === '!') {
      const truth = truthOf(this.operand());
      return numberOf(truth === undefined ? undefined : !truth);
    }
    if (token === '(') {
      const value = this.either();
      return this.#takes(')') ? value : undefined;
    }
    if (/^\d/.test(token)) return exactly(Number(token));
    if (token === 'LINUX_VERSION_CODE') return this.kernel;
    if (token === 'KERNEL_VERSION') return this.#version();
    if (token === 'defined') return this.#defined();
    return undefined;
  }

  #version(): Value {
    const [, a, , b, , c] = this.tokens.slice(this.#at, this.#at + 7);
    const shape = this.tokens.slice(this.#at, this.#at + 7).filter((_, at) => at % 2 === 0);
    if (shape.join('') !== '(,,)') return undefined;
    this.#at += 7;
    const numbers = [a, b, c].map(Number);
    return numbers.every(Number.isSafeInteger)
      ? exactly(kernelVersion(...(numbers as [number, number, number])))
      : undefined;
  }

  /** Only the kernel's version is known to be defined. */
  #defined(): Value {
    const open = this.#takes('(');
    const name = this.tokens[this.#at] ?? '';
    this.#at += 1;
    if (open && !this.#takes(')')) return undefined;
    return name === 'LINUX_VERSION_CODE' ? exactly(1) : undefined;
  }

  #takes(token: string): boolean {
    if (this.tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }
}

/** undefined if it depends on which of the values it is. */
function compare(a: KernelVersions, operator: string, b: KernelVersions): boolean | undefined {
  switch (operator) {
    case '<':
      return a.high < b.low ? true : a.low >= b.high ? false : undefined;
    case '>=':
      return negated(compare(a, '<', b));
    case '>':
      return compare(b, '<', a);
    case '<=':
      return negated(compare(b, '<', a));
    case '!=':
      return negated(compare(a, '==', b));
    default:
      if (a.high < b.low || b.high < a.low) return false;
      return a.low === a.high && b.low === b.high ? true : undefined;
  }
}

function negated(truth: boolean | undefined): boolean | undefined {
  return truth === undefined ? undefined : !truth;
}
