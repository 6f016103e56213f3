/** Progress messages. Work reports them through a `Progress`; only the reporter prints. */
export type ProgressEvent =
  /** The start of something slow. The next stage or unit event ends it. */
  | { type: 'stage'; text: string }
  /** The progress of the current stage; replaces the last one. Shown on terminals only. */
  | { type: 'detail'; text: string }
  /** A message to print once. */
  | { type: 'note'; text: string };

export type Progress = (event: ProgressEvent) => void;
