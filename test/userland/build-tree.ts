import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { contentsOfPackage, type PackageName } from '../../cli/guest/packages.js';
import { findProgram } from '../../cli/system/programs.js';

/**
 * A directory as `make` leaves it, with copies of a program of this machine. The one that prints the version is a
 * script.
 */
export function makeBuildTree(name: PackageName, directory: string, version = '9.8.7'): string {
  const { programs, version: printing } = contentsOfPackage(name);
  const any = realpathSync(findProgram('true') ?? '/bin/true');
  for (const [program, path] of Object.entries({ ...programs.required, ...programs.optional })) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    if (program === printing) {
      writeFileSync(file, `#!/bin/sh\necho ${program} version ${version}\n`, { mode: 0o755 });
    } else if (file.endsWith('.sh')) writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
    else copyFileSync(any, file);
  }
  return directory;
}
