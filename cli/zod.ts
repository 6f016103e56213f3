/**
 * The parts of zod that cli/ uses. Importing them by name makes the bundle a third of the size, and
 * every command starts sooner. Add what you need.
 */
export type { core, infer, ZodType } from 'zod';
export {
  array,
  boolean,
  config,
  discriminatedUnion,
  enum,
  int,
  literal,
  looseObject,
  number,
  object,
  partialRecord,
  preprocess,
  record,
  strictObject,
  string,
  tuple,
  union,
} from 'zod';
