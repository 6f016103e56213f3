/** The formats of `report`. */
export const FORMATS = [
  'terminal',
  'markdown',
  'mail',
  'junit',
  'fstests-xunit',
  'tap',
  'ktap',
  'github',
  'kcidb',
  'html',
] as const;
export type Format = (typeof FORMATS)[number];
