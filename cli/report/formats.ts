/** What `report` can write. */
export const FORMATS = ['terminal', 'markdown', 'mail', 'junit', 'tap'] as const;
export type Format = (typeof FORMATS)[number];
