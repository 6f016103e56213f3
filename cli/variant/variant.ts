/** A kernel's source with changes: what A and B of an A/B comparison are. */
export interface Variant {
  /** As people call it: `base`, `v2`, `early-return`. */
  name: string;
  /** Patches, mboxes and semantic patches (`.cocci`), applied in this order. Absolute paths. */
  changes: readonly string[];
}

/** The kernel as it is. */
export const BASE: Variant = { name: 'base', changes: [] };
