import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Kernel } from '../../cli/kernel/kernel.js';
import type { Failure, Outcome } from '../../cli/outcome.js';
import { patchedSource } from '../../cli/variant/patched-source.js';
import { makeContext } from '../kernel/context.js';
import { writeTree } from '../kernel/fixtures.js';

/** A kernel with sources of a few lines, and changes to them. */

export const RELEASE = '6.1.0-1-test';

export const INODE = lines(1, 20);

/** `line 1;` and so on: each line is unique context. */
export function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index};\n`).join('');
}

/** A patch that changes one line of a file of `lines`. */
export function patchOf(path: string, line: number, text: string, from = `line ${line};`): string {
  return `\
diff --git a/${path} b/${path}
--- a/${path}
+++ b/${path}
@@ -${line - 1},3 +${line - 1},3 @@ here
 line ${line - 1};
-${from}
+${text}
 line ${line + 1};
`;
}

export function mail(subject: string, patch: string, body = 'Because of this.'): string {
  return `\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: A Developer <a@example.org>
Date: Tue, 9 Feb 2016 10:00:00 +0000
Subject: ${subject}
Content-Type: text/plain; charset=UTF-8

${body}
---
 fs/ext2/inode.c | 2 +-

${patch}-- 
2.5.0

`;
}

export function makeKernel(t: Test) {
  const root = t.testdir();
  writeTree(root, {
    'source/fs/ext2/inode.c': INODE,
    'source/fs/ext2/super.c': INODE,
    'source/fs/ext2/Makefile': '',
    'source/fs/ext4/inode.c': INODE,
    'source/fs/dax.c': INODE,
  });
  const kernel: Kernel = {
    spec: 'debian:6.1',
    release: RELEASE,
    id: 'k',
    image: join(root, 'bzImage'),
    bootImage: join(root, 'bzImage'),
    build: { headers: join(root, 'headers'), source: join(root, 'source'), compiler: 'gcc-12' },
  };
  const { context, stages } = makeContext(root);
  const file = (name: string, content: string | Buffer) => {
    const path = join(root, name);
    writeFileSync(path, content);
    return path;
  };
  return {
    root,
    kernel,
    context,
    stages,
    file,
    apply: (changes: string[], steps?: number) =>
      patchedSource(
        kernel,
        { name: 'v2', changes, ...(steps === undefined ? {} : { steps }) },
        context,
      ),
    /** What a failed application must not leave behind. */
    entries: () => {
      const shelf = join(root, 'cache/patched-source');
      return existsSync(shelf) ? readdirSync(shelf).filter((name) => !name.endsWith('.lock')) : [];
    },
  };
}

export function read(outcome: Outcome<string>, path: string): string {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return readFileSync(join(outcome.value, path), 'utf8');
}

export function failureOf(outcome: Outcome<unknown>): Failure {
  if (outcome.ok) throw new Error('it did not fail');
  return outcome.failure;
}
