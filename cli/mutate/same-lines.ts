/**
 * Adds blank lines where a change removed lines, so that all others keep their numbers. The kernel's code contains
 * line numbers (`__LINE__`): with other ones, object code that is the same would differ.
 *
 * @param patch the change, without unchanged lines around it
 */
export function withSameLines(mutated: string, patch: string): string {
  const lines = mutated.split('\n');
  let added = 0;
  for (const [, removed = '1', start = '1', kept = '1'] of patch.matchAll(
    /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/gm,
  )) {
    const missing = Number(removed) - Number(kept);
    if (missing <= 0) continue;
    // Where nothing is left, the change stands after the line that is named.
    const at = Number(start) + added + (kept === '0' ? 0 : Number(kept) - 1);
    lines.splice(at, 0, ...Array.from({ length: missing }, () => ''));
    added += missing;
  }
  return lines.join('\n');
}
