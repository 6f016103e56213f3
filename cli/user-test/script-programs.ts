/**
 * Which programs a shell script calls, as far as its text shows. No shell is run: the words are read. A
 * name in a string or a variable is missed, and the test then fails in the guest with exit code 127.
 */

/** Words of bash that are no programs. */
const SHELL_WORDS = new Set(
  (
    'if then elif else fi for while until do done case esac in select function time coproc ' +
    '. : [ [[ ]] { } ! alias bg bind break builtin caller cd command compgen complete continue declare ' +
    'dirs disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let ' +
    'local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source ' +
    'suspend test times trap true type typeset ulimit umask unalias unset wait'
  ).split(' '),
);

/** Words before a program's name. */
const PREFIXES = new Set(
  '! if then elif else while until do time exec command env nice nohup sudo xargs { ('.split(' '),
);

/** Sorted, each once. */
export function programsOfScript(script: string): string[] {
  const functions = new Set<string>();
  const programs = new Set<string>();
  for (const command of commandsOf(withoutHereDocuments(script))) {
    const [, defined] = /^(?:function\s+)?([\w-]+)\s*\(\)/.exec(command) ?? [];
    if (defined) functions.add(defined);
    const [, named] = /^function\s+([\w-]+)/.exec(command) ?? [];
    if (named) functions.add(named);
    const name = programOf(command);
    if (name !== undefined) programs.add(name);
  }
  return [...programs].filter((name) => !functions.has(name)).sort();
}

/** A name that can be looked up in PATH; undefined for a shell's word, a path or an expansion. */
function programOf(command: string): string | undefined {
  const words = command.split(/\s+/);
  for (const word of words) {
    if (word === '' || PREFIXES.has(word) || /^[A-Za-z_]\w*\+?=/.test(word)) continue;
    if (/^\d*[<>]/.test(word)) return undefined;
    return /^[A-Za-z][\w.+-]*$/.test(word) && !SHELL_WORDS.has(word) ? word : undefined;
  }
  return undefined;
}

/** The text at which commands begin: after a line's begin, an operator, or a substitution. */
function commandsOf(script: string): string[] {
  const joined = script.replaceAll(/\\\n/g, ' ');
  return joined.split('\n').flatMap((line) => {
    if (/^\s*#/.test(line)) return [];
    // What is in quotes is data, except substitutions in double quotes.
    const substitutions = [...line.matchAll(/\$\(([^()]*)\)|`([^`]*)`/g)].map(
      ([, dollar, backquote]) => dollar ?? backquote ?? '',
    );
    const plain = line
      .replaceAll(/\$\(([^()]*)\)|`[^`]*`/g, 'X')
      .replaceAll(/'[^']*'|"(?:\\.|[^"\\])*"/g, 'X')
      .replace(/(^|\s)#.*$/, '');
    // `case` patterns end with a parenthesis.
    const commands = plain.replace(/^\s*[^\s()]+\)/, '').split(/;;?|&&|\|\|?&?|(?<![<>])&(?!>)/);
    return [...commands, ...substitutions.flatMap((one) => one.split(/;|&&|\|\|?/))].map((one) =>
      one.trim().replace(/^\((?!\()/, ''),
    );
  });
}

function withoutHereDocuments(script: string): string {
  const kept: string[] = [];
  let end: string | undefined;
  for (const line of script.split('\n')) {
    if (end !== undefined) {
      if (line.trim() === end) end = undefined;
      continue;
    }
    kept.push(line);
    end = /(?<!<)<<(?!<)-?\s*\\?["']?([A-Za-z_]\w*)/.exec(line)?.[1];
  }
  return kept.join('\n');
}

/** The program of a script's first line: `/usr/bin/env python3` is python3; undefined: none. */
export function interpreterOf(script: string): string | undefined {
  const words = /^#!\s*(.*)/.exec(script)?.[1]?.split(/\s+/) ?? [];
  if (!words[0]?.endsWith('/env')) return words[0];
  return words.slice(1).find((word) => !word.startsWith('-') && !word.includes('='));
}
