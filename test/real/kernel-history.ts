import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { defaultStore } from '../../cli/store/store.js';

/**
 * A git history of 16 commits for a bisection, made from the packaged 6.1 source. It contains only
 * ext2 and the Makefile that tells the kernel's version; the rest is as packaged.
 */

export interface History {
  directory: string;
  /** Commits in order, the good one first. */
  commits: string[];
  /** Index of the commit that introduces the bug of 2016. */
  culprit: number;
  /** Index of the commit that does not compile. */
  broken: number;
  git: (...argv: string[]) => string;
}

/** @param oneIn the bug appears in one of this many runs, by the guest's random numbers */
export async function makeHistory(
  directory: string,
  { culprit = 11, broken = 6, oneIn = 1 } = {},
): Promise<History> {
  const kernel = await resolveKernel('debian:6.1', { store: defaultStore(), progress: () => {} });
  if (!kernel.ok) throw new Error(kernel.failure.message);
  const { source = '', sourceArchive = '' } = kernel.value.build ?? {};
  mkdirSync(join(directory, 'fs'), { recursive: true });
  cpSync(join(source, 'fs/ext2'), join(directory, 'fs/ext2'), { recursive: true });
  const makefile = ['--extract', '--to-stdout', '--occurrence=1', 'linux-source-6.1/Makefile'];
  writeFileSync(
    join(directory, 'Makefile'),
    execFileSync('tar', [`--file=${sourceArchive}`, ...makefile]),
  );
  const git = (...argv: string[]) =>
    execFileSync('git', ['-C', directory, ...argv], {
      ...{ encoding: 'utf8' as const, env: IDENTITY, stdio: 'pipe' as const },
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  const commits: string[] = [];
  const commit = (message: string) => {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
    commits.push(git('rev-parse', 'HEAD'));
  };
  const change = (path: string, edit: (text: string) => string) => {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {}
    const edited = edit(text);
    if (edited === text) throw new Error(`${path} is not what it was`);
    writeFileSync(file, edited);
  };
  commit('Linux 6.1, as packaged');
  for (let at = 1; at <= 16; at += 1) {
    if (at === culprit) {
      change('fs/ext2/inode.c', (text) => introduceBug(text, oneIn));
      commit('ext2: call DAX write-back from ->writepages');
    } else if (at === broken) {
      change('fs/ext2/file.c', (text) => `${text}\n#error "half a change"\n`);
      commit('ext2: first half of a change to file.c');
    } else if (at === broken + 1) {
      change('fs/ext2/file.c', (text) => text.replace('#error "half a change"', '/* a change */'));
      commit('ext2: second half of a change to file.c');
    } else if (at % 4 === 1) {
      change('Documentation/filesystems/ext2.rst', (text) => `${text}Paragraph ${at}.\n`);
      commit(`Documentation: ext2: paragraph ${at}`);
    } else {
      // Code that differs from the last, in the shortest file.
      const symbol = (n: number) => `const unsigned int ext2_revision_${n} = ${n};\n`;
      change(
        'fs/ext2/xattr_user.c',
        (text) => `${text}\nextern ${symbol(at).replace(/ =.*/, ';')}${symbol(at)}`,
      );
      commit(`ext2: revision ${at}`);
    }
  }
  return { directory, commits, culprit, broken, git };
}

/** Like kernels/variants/early-return.cocci: S_DAX on all inodes, whose pages are not written. */
function introduceBug(inode: string, oneIn: number): string {
  const chosen = oneIn === 1 ? '' : ' && ext2_chosen()';
  const choice = `static bool ext2_chosen(void)
{
	static int chosen = -1;

	if (chosen < 0)
		chosen = get_random_u32() % ${oneIn};
	return chosen == 0;
}

`;
  return inode
    .replace('test_opt(inode->i_sb, DAX) && S_ISREG(inode->i_mode)', 'test_opt(inode->i_sb, DAX)')
    .replace(
      'static int\next2_writepages(struct address_space *mapping, struct writeback_control *wbc)\n{\n',
      (head) =>
        `${oneIn === 1 ? '' : choice}${head}\tif (dax_mapping(mapping)${chosen})\n\t\treturn 0;\n`,
    );
}

const IDENTITY = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A Developer',
  GIT_AUTHOR_EMAIL: 'developer@example.org',
  GIT_AUTHOR_DATE: '2016-02-08T12:00:00Z',
  GIT_COMMITTER_NAME: 'A Maintainer',
  GIT_COMMITTER_EMAIL: 'maintainer@example.org',
  GIT_COMMITTER_DATE: '2016-02-09T12:00:00Z',
};
