/**
 * How a log was pasted. A journal, a mail or a build server puts something in front of each line; a
 * JSON document holds the lines as strings.
 */
export interface LogForm {
  /** The program's own lines in this line, without what was put around them; undefined where there are none. */
  linesOf(line: string): string[] | undefined;
  /** More of the line before, which was too long to come in one piece. */
  more?(piece: string): string[];
  /** What is left of the last line, once it is known to be over. */
  end?(): string[];
  /** Whether a line of another form belongs to the log all the same. */
  readonly isLoose: boolean;
  /** Whether this one line proves the form. Otherwise the next line has to have the form, too. */
  readonly isCertain: boolean;
}
