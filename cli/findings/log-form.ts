/**
 * How a log was pasted. A journal, a mail or a build server puts something in front of each line; a
 * JSON document holds the lines as strings.
 */
export interface LogForm {
  /**
   * The program's own lines in this line, without what surrounds them; undefined if there are none.
   */
  linesOf(line: string): string[] | undefined;
  /** The rest of a line that was too long for one piece. */
  more?(piece: string): string[];
  /** The rest of the last line, once it is known to be over. */
  end?(): string[];
  /** Whether a line of another form still belongs to the log. */
  readonly isLoose: boolean;
  /** Whether this line alone proves the form. Otherwise the next line must have the form, too. */
  readonly isCertain: boolean;
}
