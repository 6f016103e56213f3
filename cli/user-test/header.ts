import { FILE_SYSTEMS } from '../file-systems.js';
import { parseChoice, parseSeconds, parseSize } from '../options.js';
import { allOf, failure, type Outcome, success } from '../outcome.js';
import { EXPECTED_VERDICTS, type UserTestSettings } from './user-test.js';

/**
 * Settings at the top of a test file, one in each comment line:
 *
 *     # daxrepro: size 1G
 *     # daxrepro: timeout 5m
 *
 * Comments may begin with `#`, `//`, `/*`, `*` or `;`. Only the first lines are read, up to the first
 * one that is neither blank nor a comment.
 */
export function readHeader(file: string, text: string): Outcome<UserTestSettings> {
  const settings: Record<string, Outcome<unknown>> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (!/^\s*($|#|\/\/|\/?\*|;)/.test(line)) break;
    const words = /^\s*(?:#|\/\/|\/?\*+|;)\s*daxrepro:\s*(.*?)\s*(?:\*\/\s*)?$/.exec(line)?.[1];
    if (words === undefined) continue;
    const [, key = '', value = ''] = /^([a-z-]+)(?:\s*[:=]\s*|\s+)(.*)$/.exec(words) ?? [];
    const name = key === '' ? words : key;
    const place = { file, line: index + 1 };
    settings[name] = Object.hasOwn(settings, name)
      ? failure('usage', `"${name}" is set twice`, 'Keep one of the lines')
      : readSetting(name, value);
    const read = settings[name];
    if (read && !read.ok) read.failure.place = place;
  }
  const values = allOf(settings);
  if (!values.ok) return values;
  return success(
    Object.fromEntries(
      Object.entries(values.value).map(([key, value]) => [SETTINGS[key]?.name ?? key, value]),
    ) as UserTestSettings,
  );
}

interface Setting {
  name: keyof UserTestSettings;
  read: (value: string) => Outcome<unknown>;
}

const text = (value: string): Outcome<string> => success(value);

const SETTINGS: Record<string, Setting> = {
  fs: { name: 'fileSystems', read: readFileSystems },
  'mount-opts': { name: 'mountOptions', read: text },
  'mkfs-opts': { name: 'mkfsOptions', read: text },
  size: { name: 'size', read: parseSize },
  memory: { name: 'memory', read: parseSize },
  timeout: { name: 'timeout', read: parseSeconds },
  for: { name: 'runFor', read: parseSeconds },
  expect: { name: 'expect', read: (value) => parseChoice('expect', value, EXPECTED_VERDICTS) },
  summary: { name: 'summary', read: text },
  cflags: { name: 'cflags', read: text },
};

function readSetting(name: string, value: string): Outcome<unknown> {
  const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  if (!setting) {
    return failure(
      'usage',
      `"${name}" is not a setting of a test`,
      `Use one of ${Object.keys(SETTINGS).join(', ')}`,
    );
  }
  if (value === '') {
    return failure('usage', `"${name}" has no value`, `Write # daxrepro: ${name} VALUE`);
  }
  return setting.read(value);
}

function readFileSystems(value: string): Outcome<unknown> {
  const names = value.split(/[\s,]+/).filter(Boolean);
  return allOf(
    Object.fromEntries(names.map((name) => [name, parseChoice('file system', name, FILE_SYSTEMS)])),
  ).ok
    ? success(names)
    : failure(
        'usage',
        `"${value}" does not name file systems`,
        `Use one or more of ${FILE_SYSTEMS.join(', ')}`,
      );
}
