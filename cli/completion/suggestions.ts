/** Completions of the word that is being typed. */
export interface Suggestions {
  values: Suggestion[];
  /** Whether the shell adds paths. */
  paths: Paths;
}

export type Paths = 'none' | 'files' | 'directories';

export type Suggestion = readonly [value: string, description?: string];
