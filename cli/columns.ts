import stringWidth from 'string-width';

/** The columns that text takes on a terminal. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

/** Pads text to a width. Longer text stays as it is. */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - textWidth(text), 0));
}

/** Rows as lines: every cell but the last of its row is padded to the width of its column. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const [column, text] of rows.flatMap((row) => [...row.entries()])) {
    widths[column] = Math.max(widths[column] ?? 0, textWidth(text));
  }
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : padText(cell, widths[at] ?? 0)))
      .join('  '),
  );
}
