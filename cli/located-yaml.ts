import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { failure, type Outcome, type Place, success } from './outcome.js';

/** YAML whose values can be found again in the text, so that what is wrong is shown where it is. */

export type Path = readonly PropertyKey[];

export interface LocatedYaml {
  value: unknown;
  /** Where this value is; where there is none, the nearest that holds its place. */
  placeOf(path: Path): Place;
  /** Where this key of a map is. */
  placeOfKey(path: Path, key: string): Place;
}

export function parseLocatedYaml(file: string, text: string): Outcome<LocatedYaml> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Place => {
    // Of an empty text the counter knows no line.
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
    // Aliases without an anchor, and those that would unfold without end.
    if (!(thrown instanceof ReferenceError)) throw thrown;
    return failure('usage', withoutStop(thrown.message), 'Write it out, without aliases', {
      place: { file },
    });
  }
}

function explainSyntax(code: string, message: string): { message: string; remedy: string } {
  switch (code) {
    case 'DUPLICATE_KEY':
      return { message: 'This key is there twice', remedy: 'Leave one of them out' };
    case 'MULTIPLE_DOCS':
      return { message: 'A second document begins', remedy: 'Write one case in one file' };
    case 'TAB_AS_INDENT':
      return { message: 'A tab indents this line', remedy: 'Indent with blanks' };
    default:
      return {
        message: `This is no YAML: ${withoutStop(message.split('\n')[0] ?? '')}`,
        remedy: 'Mend it here, or just before',
      };
  }
}

function withoutStop(text: string): string {
  return text.replace(/[.:\s]+$/, '');
}
