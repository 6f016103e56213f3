/**
 * Forms of messages, and what a program may put into them: a form is the message with `<inode>`,
 * `<entryInode>`, `<block>`, `<offset>`, `<group>`, `<entry>`, `<path>` where a finding has fields
 * of these names, and with `<n>`, `<hex>`, `<time>`, `<other>` where it has none.
 */

export interface Filled {
  text: string;
  fields: Record<string, string | number>;
}

const NAMES = ['a', 'x y', "it's", 'a"b', 'foo(1)', 'inode 9', 'block 7', 'Größe', '12', 'Fix?'];
const TIMES = ['Sun Nov 22 13:17:21 2026', 'Thu Jan  1 00:00:00 1970'];

/** @param round different rounds fill in different numbers, names and times */
export function fill(form: string, round: number): Filled {
  const fields: Filled['fields'] = {};
  let number = 1000 * (round + 1);
  const name = () => NAMES[(round + number) % NAMES.length] as string;
  const text = form.replace(/<(\w+)>/g, (whole, field: string) => {
    number += 1 + round * 7;
    const value =
      field === 'entry' || field === 'other'
        ? name()
        : field === 'path'
          ? `/${name()}/${name()}`
          : field === 'time'
            ? (TIMES[round % TIMES.length] as string)
            : field === 'hex'
              ? `0x${number.toString(16)}`
              : number;
    if (field === 'filesystem') return whole;
    if (!['n', 'hex', 'time', 'other'].includes(field)) fields[field] = value;
    return String(value);
  });
  return { text, fields };
}
