/**
 * Fills a format of printk with values that the kernel might print. The specifiers are those of
 * Documentation/core-api/printk-formats.rst.
 */

/** What stands for `<device>` in a line of dev_err(): the driver's name and the device's. */
export const DEVICES: Record<string, readonly string[]> = {
  'drivers/nvdimm': ['nd_pmem namespace0.0', 'nvdimm nmem0', 'nd_region region0', 'pmem btt0.1'],
  'drivers/dax': ['device_dax dax0.0', 'kmem dax0.0', 'dax_cxl dax_region0'],
  'fs/fuse': ['virtiofs virtio0'],
  'drivers/cxl': [
    'cxl_pci 0000:35:00.0',
    'cxl_mem mem0',
    'cxl_port endpoint2',
    'cxl_acpi ACPI0017:00',
  ],
};

const SPECIFIER =
  /%(?<flags>[-+ #0]*)(?<width>\*|\d+)?(?:\.(?:\*|\d+)?)?(?<length>hh|h|ll|l|z|t|L)?(?<type>p[A-Za-z]\w*|[a-zA-Z%])/g;

const STRINGS = ['pmem0', 'ext4_find_entry', 'xfs_agf', 'fsstress', 'allocated'];

/** What a specifier stands for, by the text before and after it. */
const MEANINGS: ReadonlyArray<readonly [RegExp, RegExp, readonly string[]]> = [
  [
    /(?:\bdev(?:ice)? |^\w+-fs \(|^XFS \(|Quota error \(device )$/,
    /^/,
    ['pmem0', 'dm-1', 'nvme0n1p2', 'vdb'],
  ],
  [/^/, /^ error, dev /, ['I/O', 'device offline', 'critical space allocation', 'invalid']],
  [/^/, /^: %s error, dev /, ['blk_update_request', 'print_req_error']],
  [/(?:: |^)$/, /^:%d: |^\(\) at /, ['ext4_find_entry', 'xfs_fix']],
  [/Metadata $/, /^ detected/, ['corruption', 'CRC error']],
  [/blocked$/, /^ for more/, ['', ' in I/O wait']],
  [/: $/, /^\(0x%x\) called from/, ['xfs_do_force_shutdown']],
  // Flags of a shutdown that nobody asked for.
  [/\(0x$/, /^\) (?:detected at|called from)/, ['8', '2', '1', '10']],
  [/^$/, /^ with %s enabled/, ['SGI XFS']],
  [/XFS \(\S+\): $/, /^ \(0x%x\) detected/, ['Corruption of in-memory data', 'Log I/O Error']],
];

/** @param round different rounds fill in different values */
export function instantiate(format: string, subsystem: string, round = 0): string {
  const devices = DEVICES[subsystem] ?? ['pmem0'];
  let at = round;
  return format
    .replaceAll('<device>', devices[round % devices.length] as string)
    .replace(SPECIFIER, (whole, ...rest) => {
      const groups = rest.at(-1) as Record<'flags' | 'type', string>;
      at += 1;
      const offset = rest.at(-3) as number;
      const text = rest.at(-2) as string;
      const meant = MEANINGS.find(
        ([before, after]) =>
          before.test(text.slice(0, offset)) && after.test(text.slice(offset + whole.length)),
      );
      if (meant) return meant[2][round % meant[2].length] as string;
      const isError = ERROR.test(text.slice(0, offset));
      return valueFor(groups.type, groups.flags, isError ? -5 : 7 + at * 113, at) ?? whole;
    });
}

/** What stands before an error number. */
const ERROR = /(?:err|error|ret|rc|returned|status)[ :=(]*$/i;

function valueFor(type: string, flags: string, number: number, at: number): string | undefined {
  switch (type[0]) {
    case 'd':
    case 'i':
      return String(number);
    case 'u':
      return String(Math.abs(number));
    case 'x':
    case 'X':
      return `${flags.includes('#') ? '0x' : ''}${Math.abs(number).toString(16)}`;
    case 'o':
      return Math.abs(number).toString(8);
    case 'c':
      return 'x';
    case 's':
      return STRINGS[at % STRINGS.length];
    case 'p':
      return pointer(type);
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function pointer(type: string): string {
  switch (type[1]) {
    case 'S':
    case 's':
    case 'B':
      return 'xfs_agf_verify+0x5d/0x110 [xfs]';
    case 'g':
    case 'd':
      return 'pmem0';
    case 'U':
      return '3f1f0f5e-6b1a-4c58-9d3a-0a2b7a1f9f10';
    case 'e':
      return '-EIO';
    case 'r':
    case 'R':
      return '[mem 0x100000000-0x13fffffff]';
    case 'V':
      return 'something of 7 is wrong';
    default:
      return '00000000deadbeef';
  }
}
