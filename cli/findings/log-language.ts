import { SETTLED_AT_END } from './e2fsck-grammar.js';

/**
 * Logs in other languages. Both programs translate everything but the version and numbers. The
 * words come from the catalogues of e2fsprogs 1.47 and xfsprogs 7.2.
 */

/** The heading of a pass or phase, by language. */
const HEADINGS: ReadonlyArray<readonly [language: string, heading: RegExp]> = [
  ['German', /^(Durchgang \d)\w?:/],
  ['German', /^(Phase \d - (?!find |using |for each |check |rebuild |verify )[^.]{1,60})/],
  ['French', /^(Passe\s\d)\w?\s?:/],
  ['Spanish', /^(Paso \d)\w?:/],
  ['Italian or Portuguese', /^(Passo \d)\w?:/],
  ['Catalan', /^(Pas \d)\w?:/],
  ['Czech', /^(Průchod \d)\w?:/],
  ['Danish', /^(Gennemløb \d)\w?:/],
  ['Dutch', /^((?:Stap|Gang) \d)\w?:/],
  ['Polish', /^((?:Przebieg|Faza) \d)\w?(?::| -)/],
  ['Swedish', /^(Pass \d: (?:Kontrollerar|Granskar))/],
  ['Esperanto', /^(Paŝo \d)\w?:/],
  ['Indonesian', /^(Tahap \d)\w?:/],
  ['Ukrainian', /^(Прохід \d)/],
  ['Russian', /^(Проход \d)/],
  ['Vietnamese', /^(Lần qua \d)/],
  ['Chinese', /^(第 ?\d ?[遍步])/],
  ['Japanese', /^(パス ?\d)/],
  ['Hungarian', /^(\d\w?\. lépés)/],
  ['Serbian', /^(\d\w?\. (?:пролаз|prolaz))/],
  ['Turkish', /^(\d\w?\. geçiş)/],
];

const NUMBER = String.raw`\d[\d.,'\u2019\u00a0\u202f]*`;

/** e2fsck's summary: a device, inodes in use of all, blocks in use of all. */
const SUMMARY = new RegExp(
  String.raw`^\S{1,255}\s?: (?:[^\d/]{1,40})?${NUMBER}/${NUMBER} (?<files>[^/]{1,80}?)[,，]? ?${NUMBER}/${NUMBER} (?<blocks>[^\s\d/]\S{0,20})$`,
);

/** A question with an answer that is not English. */
const ANSWER =
  /(?:\?|？) ?(?<answer>ja|nein|oui|non|sí|sì|si|não|sim|nee|nej|ano|ne|tak|nie|kyllä|ei|da|igen|nem|ya|tidak|evet|hayır|так|ні|да|нет|не|có|không|是|否|はい|いいえ)\s*$/;

/** Repairs made without asking, in capitals after the message. */
const SETTLED = /\.\s{1,3}(?<settled>\p{Lu}{4,30}(?: \p{Lu}{1,30}){0,4})\.$/u;

/** The words of a line that are not English, and their language. */
export interface ForeignWords {
  language?: string;
  words: string;
}

/** @returns undefined if the line may be English */
export function foreignWordsOf(line: string): ForeignWords | undefined {
  for (const [language, heading] of HEADINGS) {
    const words = heading.exec(line)?.[1];
    if (words !== undefined) return { language, words };
  }
  const { files, blocks } = SUMMARY.exec(line)?.groups ?? {};
  if (files !== undefined && blocks !== undefined && !isEnglish(files, blocks)) {
    return { words: `${files.replace(/[(（].*/, '').trim()}", "${blocks}` };
  }
  const settled = SETTLED.exec(line)?.groups?.['settled'];
  if (settled !== undefined && !SETTLED_AT_END.test(line)) return { words: settled };
  const answer = ANSWER.exec(line)?.groups?.['answer'];
  return answer === undefined ? undefined : { words: answer };
}

function isEnglish(files: string, blocks: string): boolean {
  return files.startsWith('files') || blocks === 'blocks';
}

/** Collects a few words of a log in another language. */
export class LogLanguage {
  static readonly #MOST = 5;
  readonly #words = new Set<string>();
  #language: string | undefined;

  add({ language, words }: ForeignWords): void {
    this.#language ??= language;
    if (this.#words.size < LogLanguage.#MOST) this.#words.add(words);
  }

  /** Why such a log proves nothing; undefined if it is in English. */
  get problem(): string | undefined {
    if (this.#words.size === 0) return undefined;
    const words = [...this.#words].map((one) => `"${one}"`).join(', ');
    const language =
      this.#language === undefined ? 'not in English' : `in ${this.#language}, not in English`;
    return `the log is ${language} (it has ${words}), so its messages cannot be told apart: repeat the check with LC_ALL=C`;
  }
}
