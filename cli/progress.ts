/**
 * What stages tell while they work. They call a `Progress` and never print: who prints, and how,
 * is the reporter's business.
 */
export type ProgressEvent =
  /** Something begins that may take more than a moment. Ends with the next stage or unit event. */
  | { type: 'stage'; text: string }
  /** How far the current stage is; replaces the one before. Shown on terminals only. */
  | { type: 'detail'; text: string }
  /** A sentence that people must see, once. */
  | { type: 'note'; text: string };

export type Progress = (event: ProgressEvent) => void;
