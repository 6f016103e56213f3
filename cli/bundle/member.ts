/** A file in a bundle. */

export interface Member {
  name: string;
  /** The content, or the path of a file with the content. */
  content: Buffer | string;
}
