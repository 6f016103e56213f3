/** A kernel's source with changes: what A and B of an A/B comparison are. */
export interface Variant {
  /** As people call it: `base`, `v2`, `early-return`. */
  name: string;
  /** Patches, mboxes and semantic patches (`.cocci`), applied in this order. Absolute paths. */
  changes: readonly string[];
  /** Only so many of the patches that `changes` hold: a prefix of a series. All by default. */
  steps?: number;
}

/** What a variant may be called where people name it: it is a word of tables and of file names. */
export const VARIANT_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$/;

/** The kernel as it is. */
export const BASE: Variant = { name: 'base', changes: [] };
