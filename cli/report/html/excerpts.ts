import { lastLines } from '../../results/console-end.js';
import type { Excerpt } from './cells.js';

/** Bytes of consoles per page. Failed units get more than passed ones. */
const MOST_OF_ALL = 2_000_000;
const FAILED = { bytes: 8000, lines: 60 };
const PASSED = { bytes: 1500, lines: 12 };

/** Excerpts of consoles, until the page has enough. */
export function consoleExcerpts(): Excerpt {
  let left = MOST_OF_ALL;
  return ({ verdict, source: { directory, artifacts } }) => {
    if (left <= 0) return undefined;
    const most = verdict === 'pass' ? PASSED : FAILED;
    const lines = lastLines(directory, artifacts['console'], most);
    left -= lines?.join('\n').length ?? 0;
    return lines;
  };
}
