/** What goes into a bundle of a run. */

export interface Member {
  name: string;
  /** The bytes, or the file that has them. */
  content: Buffer | string;
}
