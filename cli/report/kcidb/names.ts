import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { escapeForTerminal } from '../../findings/escape.js';
import type { KcidbResource } from './schema.js';

/** Ids, paths and addresses in a KCIDB report. */

export interface KcidbNaming {
  /** The name of the CI system at KCIDB. */
  origin: string;
  /** Where the directories of runs are published; without it, files are named where they are now. */
  artifactsUrl?: string | undefined;
}

/** The same parts always give the same id, so that a report can be sent twice. */
export function objectId({ origin }: KcidbNaming, kind: string, parts: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify([kind, ...parts]));
  return `${origin}:${hash.digest('hex').slice(0, 32)}`;
}

/** `builtin.ext2.generic.002`; characters that a path cannot have become `_`. */
export function testPath(words: readonly string[]): string {
  return words
    .flatMap((word) => word.split('/'))
    .map((word) => word.replaceAll(/[^A-Za-z0-9_-]+/g, '_') || '_')
    .join('.');
}

/** @param file relative to the run's directory */
export function resource(naming: KcidbNaming, directory: string, file: string): KcidbResource {
  const name = escapeForTerminal(basename(file)).replaceAll('/', '_');
  const base = naming.artifactsUrl;
  const root =
    base === undefined
      ? pathToFileURL(directory).href
      : `${base.replace(/\/+$/, '')}/${encodePath(basename(directory))}`;
  return { name: name === '' ? 'file' : name, url: `${root}/${encodePath(file)}` };
}

/** A lone surrogate, which no address can have, becomes U+FFFD. */
function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part.replaceAll(/\p{Cs}/gu, '\uFFFD')))
    .join('/');
}

/** Lines of untrusted text, cut to so many characters. */
export function excerpt(lines: readonly string[], most: number): string {
  const text = lines.map(escapeForTerminal).join('\n');
  if (text.length <= most) return text;
  const end = '\n[cut]';
  return `${text.slice(0, most - end.length).replace(/\p{Cs}$/u, '')}${end}`;
}
