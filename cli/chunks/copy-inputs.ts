import { constants } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Prepared } from '../launch/prepared.js';
import { sha256OfFile } from '../sha256.js';
import { numbered } from '../words.js';
import { programFiles } from './identity.js';
import type { PlannedFile, PreparedFiles } from './schema.js';

/** Copies what guests need into the directory of a plan, each file once, and lists it by hash. */
export class InputCopier {
  readonly files: PlannedFile[] = [];
  readonly prepared: PreparedFiles[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #machines = new Map<string, Machine>();

  constructor(readonly directory: string) {}

  /** @returns its index in `prepared` */
  async keep(prepared: Prepared): Promise<number> {
    const { kernel, initramfs, module, witness } = prepared;
    const key = JSON.stringify([kernel.id, kernel.bootImage, initramfs, module?.sha256]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const machine = await this.#machine(kernel.bootImage, initramfs);
    const { spec, release, id } = kernel;
    const { image, initramfs: copy } = machine;
    this.prepared.push({
      ...{ kernel: { spec, release, id }, image, initramfs: copy, witness },
      module: module ? await this.#module(module, machine) : null,
    });
    this.#numbers.set(key, this.prepared.length - 1);
    return this.prepared.length - 1;
  }

  async #machine(image: string, initramfs: string): Promise<Machine> {
    const key = JSON.stringify([image, initramfs]);
    const known = this.#machines.get(key);
    if (known) return known;
    const place = `kernels/${numbered(this.#machines.size)}`;
    const machine = { place, image: `${place}/image`, initramfs: `${place}/initramfs`, sent: 0 };
    await this.copy(image, machine.image);
    await this.copy(initramfs, machine.initramfs);
    this.#machines.set(key, machine);
    return machine;
  }

  async #module(
    { bytes, file, ...facts }: NonNullable<Prepared['module']>,
    machine: Machine,
  ): Promise<PreparedFiles['module']> {
    if (!bytes) return facts;
    const name = `${machine.place}/sent/${numbered(machine.sent)}.ko`;
    machine.sent += 1;
    await this.copy(file, name);
    return { ...facts, file: name };
  }

  async copy(from: string, name: string): Promise<void> {
    const to = join(this.directory, name);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    this.files.push({ name, ...(await sha256OfFile(to)) });
  }

  /** Lists a file that is already in the directory. */
  async list(name: string): Promise<void> {
    this.files.push({ name, ...(await sha256OfFile(join(this.directory, name))) });
  }
}

interface Machine {
  place: string;
  image: string;
  initramfs: string;
  sent: number;
}

/** Where a planned run has a copy of daxrepro. */
export const PROGRAM = 'program/dist/main.js';

/** Copies the program, so that the machines need no installation of their own. */
export async function copyProgram(directory: string, packageJson: string): Promise<void> {
  const files = programFiles();
  if (files.length === 0) return;
  await mkdir(join(directory, dirname(PROGRAM)), { recursive: true });
  for (const { name, content } of files) {
    await writeFile(join(directory, dirname(PROGRAM), name), content);
  }
  await copyFile(packageJson, join(directory, 'program/package.json'));
}
