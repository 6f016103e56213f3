/** Escapes a value for QEMU's option lists, where a comma ends one. */
export function escapeComma(value: string): string {
  return value.replaceAll(',', ',,');
}
