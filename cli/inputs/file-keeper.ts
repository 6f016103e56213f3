import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256Of } from '../sha256.js';
import { numbered } from '../words.js';
import type { InputFile } from './schema.js';

/** Copies files into `inputs/`. A file that is named several times is copied once. */
export class FileKeeper {
  readonly files: InputFile[] = [];
  readonly #names = new Map<string, string>();

  /** @param scratch the directory of temporary files, whose paths are not recorded */
  constructor(
    readonly top: string,
    readonly scratch?: string,
  ) {}

  /**
   * @param from the original path, for people
   * @returns the name of the copy below `inputs/`
   */
  async keepIn(
    folder: 'changes' | 'kconfig' | 'tests' | 'suite' | 'packages',
    file: string,
    from = file,
    as = basename(file),
  ): Promise<string> {
    const known = this.#names.get(`${folder} ${file}`);
    if (known !== undefined) return known;
    const { length } = this.files.filter(({ name }) => name.startsWith(folder));
    const plain = as.replaceAll(/[^A-Za-z0-9._-]+/g, '-');
    // Keep the end of the name, for its extension. Do not number a copy of a copy twice.
    const short = plain.replace(/^\d{3}-(?=.)/, '').slice(-80);
    const name = `${folder}/${numbered(length)}-${short}`;
    this.#names.set(`${folder} ${file}`, name);
    await this.keep(file, name, from);
    return name;
  }

  async keep(file: string, name: string, from = file): Promise<void> {
    const lasts = this.scratch === undefined || !from.startsWith(`${this.scratch}/`);
    await this.write(await readFile(file), name, lasts ? from : undefined);
  }

  async write(content: Buffer, name: string, from?: string): Promise<void> {
    const path = join(this.top, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    const sha256 = sha256Of(content);
    this.files.push({ name, sha256, bytes: content.length, ...(from ? { from } : {}) });
  }
}
