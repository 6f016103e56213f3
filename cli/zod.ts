/**
 * The part of zod that cli/ uses, by name: a bundle then holds a third of it, and every command
 * starts sooner. What else is wanted is added here.
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
