/** Results in which every text is the worst that a guest, a mail or a file name could contain. */

/** Markup of each format, and characters that no format may contain unescaped. */
export const HOSTILE =
  '<script>alert(1)</script>"\'`|]]>&amp;*_~[a](javascript:b)@root #1 https://a.example/ {{c}} <img src=x onerror=alert(2)>\\| \x1b[31m\x00\x07\x9b\r\n\nFORGEDFORGEDFORGEDFORGEDFORGED\u2028\u202e\u200b\ud800\uffff';

/** Texts that programs depend on: with others it would not be a valid result. */
const WORDS = new Set([
  ...['verdict', 'severity', 'kind', 'tool', 'fs', 'ending', 'outcome', 'origin', 'conclusion'],
  ...['pathFrom', 'started', 'signature', 'verdicts'],
]);

/** Fields that have several lines. */
const LINES = new Set(['detail', 'diffstat']);

/** The same result with HOSTILE appended to every text, except names of fields. */
export function hostile<Value>(value: Value, key = ''): Value {
  if (WORDS.has(key)) return value;
  if (typeof value === 'string') {
    return (value + (LINES.has(key) ? HOSTILE.replaceAll('\n', '') : HOSTILE)) as Value;
  }
  if (Array.isArray(value)) {
    const own = key === 'fileSystems' ? 'fs' : key;
    return value.map((one) => hostile(one, own)) as Value;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, hostile(inner, name)]),
  ) as Value;
}
