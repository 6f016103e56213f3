/**
 * Makes text from the guest safe to print: control characters, terminal escapes, bidirectional
 * overrides, zero-width and other invisible characters become visible (`\x1b`, `\u{202e}`), line
 * breaks included. Everything that prints stays as it is.
 */
export function escapeForTerminal(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    if (character === '\r') return '\\r';
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u{${code.toString(16).padStart(4, '0')}}`;
  });
}
