/** Lists of what begins at an address and reaches to where the next one begins: functions, entries of tables. */

interface Addressed {
  address: bigint;
}

/** Without changing the list. */
export function sortByAddress<Item extends Addressed>(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

/** The last one that begins at or before an address. @param items sorted by address */
export function lastUpTo<Item extends Addressed>(
  items: readonly Item[],
  address: bigint,
): Item | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.address ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}
