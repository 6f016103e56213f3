import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { failure, type Outcome, type Place, success } from './outcome.js';

/** YAML that remembers where each value is, so that errors can name the place. */

export type Path = readonly PropertyKey[];

export interface LocatedYaml {
  value: unknown;
  /** The place of this value, or of the nearest enclosing one that exists. */
  placeOf(path: Path): Place;
  /** The place of this key of a map. */
  placeOfKey(path: Path, key: string): Place;
}

export function parseLocatedYaml(file: string, text: string): Outcome<LocatedYaml> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Place => {
    // For an empty text the counter returns line 0.
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const error = document.errors[0];
  if (error) {
    const { message, remedy } = explainSyntax(error.code, error.message);
    return failure('usage', message, remedy, { place: place(error.pos[0]) });
  }
  const nodeAt = (path: Path): unknown =>
    path.length === 0 ? document.contents : document.getIn(path, true);
  const located: Omit<LocatedYaml, 'value'> = {
    placeOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const node = nodeAt(path.slice(0, length));
        if (isNode(node) && node.range) return place(node.range[0]);
      }
      return place(0);
    },
    placeOfKey(path, key) {
      const map = nodeAt(path);
      const pair = isMap(map)
        ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      const node = pair?.key;
      return isScalar(node) && node.range ? place(node.range[0]) : located.placeOf(path);
    },
  };
  try {
    return success({ value: document.toJS() as unknown, ...located });
  } catch (thrown) {
    // An alias without an anchor, or aliases that would expand without end.
    if (!(thrown instanceof ReferenceError)) throw thrown;
    return failure('usage', withoutStop(thrown.message), 'Write it without aliases', {
      place: { file },
    });
  }
}

function explainSyntax(code: string, message: string): { message: string; remedy: string } {
  switch (code) {
    case 'DUPLICATE_KEY':
      return { message: 'Duplicate key', remedy: 'Remove one of them' };
    case 'MULTIPLE_DOCS':
      return { message: 'A second YAML document begins', remedy: 'Use one file per document' };
    case 'TAB_AS_INDENT':
      return { message: 'This line is indented with a tab', remedy: 'Indent with spaces' };
    default:
      return {
        message: `This is not valid YAML: ${withoutStop(message.split('\n')[0] ?? '')}`,
        remedy: 'Fix it here or just before',
      };
  }
}

function withoutStop(text: string): string {
  return text.replace(/[.:\s]+$/, '');
}
