/** A kernel's source with changes; A and B of an A/B comparison are variants. */
export interface Variant {
  /** The name that users give it: `base`, `v2`, `early-return`. */
  name: string;
  /** Patches, mboxes and semantic patches (`.cocci`), applied in this order. Absolute paths. */
  changes: readonly string[];
  /** Apply only this many of the patches in `changes`: a prefix of a series. All by default. */
  steps?: number;
}

/** Valid names of variants: they appear in tables and file names. */
export const VARIANT_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$/;

/** The kernel without changes. */
export const BASE: Variant = { name: 'base', changes: [] };
