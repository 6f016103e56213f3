import { anyOf, type Head, harmless, line, needing, type Rule } from './kernel-rule.js';

/**
 * Lines about block devices and persistent memory: block/blk-core.c, blk-mq.c, fs/buffer.c,
 * fs/iomap, drivers/nvdimm, drivers/dax, drivers/cxl, mm/memory-failure.c.
 */

/** A block device of any driver: `pmem0`, `dm-1`, `nvme0n1p2`, `cciss!c0d0`. */
const DEVICE = String.raw`(?<device>[^\s,:]+)`;

/** The names of block/blk-core.c's status codes (`blk_errors`), 4.13 to 7.2. */
const BLOCK_STATUS = [
  'I/O',
  'operation not supported',
  'timeout',
  'critical (?:space allocation|target|nexus|medium)',
  'recoverable transport',
  'reservation conflict',
  'protection',
  'kernel resource',
  'device resource',
  'nonblocking retry',
  'device offline',
  'dm internal retry',
  '(?:open|active) zones exceeded',
  'duration limit exceeded',
  'invalid',
];

const BLOCK: readonly Rule[] = [
  // The empty floppy drive of QEMU's machines.
  needing('dev fd0', harmless(/\bdev fd0\b/)),
  needing(
    ' error, dev ',
    line(
      'io-error',
      anyOf(
        String.raw`^(?:[\w.]{1,40}: )?(?<what>`,
        BLOCK_STATUS,
        String.raw` error), dev ${DEVICE}, sector \d.*`,
      ),
    ),
  ),
  needing(
    'Buffer I/O error',
    line(
      'io-error',
      new RegExp(`^(?:.{1,40}: )?(?<what>Buffer I/O error) on dev(?:ice)? ${DEVICE}.*`),
    ),
  ),
  line('io-error', new RegExp(`^(?<what>lost page write due to I/O error) on ${DEVICE}.*`)),
  // fs/iomap: data that were never written, on whatever device.
  needing(
    'writeback error',
    line('io-error', new RegExp(`^${DEVICE}: (?<what>writeback error) on inode \\d+, offset .*`)),
  ),
  needing('attempt to access beyond', {
    kind: 'io-error',
    severity: 'corruption',
    extent: 'event',
    pattern: /^(?:(?<name>.{1,40}): )?(?<what>attempt to access beyond end of device)$/,
    // block/blk-core.c: the second line names the device.
    details: /^(?<device>[^\s,:]+): rw=\d+, (?:sector|want)=\d+/,
  }),
  needing(': rw=', harmless(/^[^\s,:]+: rw=\d+, (?:sector|want)=\d+/)),
  needing(
    'over max ',
    line('io-error', /^(?<name>\w+): (?<what>over max (?:integrity )?(?:segments|size) limit).*/),
  ),
  needing(
    'out-of-range block',
    line(
      'io-error',
      /^(?<name>\w+): (?<what>requested out-of-range block) .* for device (?<device>\S+)/,
    ),
  ),
  line('io-error', /^(?<what>IO error syncing ext2 inode) \[(?<device>[^:\]]+):.*/),
  line('io-error', /^(?<what>getblk\(\): (?:invalid block size|block size \d+ not aligned)).*/),
  line('io-error', /^(?<what>__find_get_block_slow\(\) failed)\. .*/, 'repairable'),
  line('io-error', /^(?<what>Direct I\/O collision with buffered writes)!.*/, 'repairable'),
  line(
    'io-error',
    /^(?<what>Trying to write to read-only block-device) (?<device>[^\s(]+).*/,
    'notice',
  ),
  harmless(/^logical block size: \d+$/),
  harmless(/^ *(?:sector \d+, nr\/cnr|bio \S+, biotail) /),
  needing(': flags=', harmless(/^[^\s:]+: dev [^\s:]+: flags=/)),
  line(
    'io-error',
    /^(?<what>swapon): (?:file|swapfile|Cannot find a single usable page).*/,
    'notice',
  ),
  line(
    'io-error',
    /^(?<what>blk-mq: failed to allocate|Allocate new hctx on node \S+ fails|Increasing nr_hw_queues to \S+ fails).*/,
    'notice',
  ),
  harmless(/^blk-mq: reduced tag depth/),
];

/** The mount proves whether DAX works; these explain why it does not. */
const DAX_CORE: readonly Rule[] = [
  needing(
    ': error: ',
    line('device', new RegExp(`^${DEVICE}: error: (?<what>.*\\bdax\\b.*)`), 'notice'),
  ),
];

/** `nd_pmem namespace0.0: `, `nvdimm nmem0: `, `pmem0: `. */
const NVDIMM = String.raw`^(?:(?:nd_\w+|nvdimm|virtio_pmem|pmem|btt|pfn|dax_pmem|of_pmem) )?(?<device>(?:namespace|region|nmem|btt|pfn|dax|pmem|ndbus|virtio)[\w.]*|nd_\w+|nvdimm\w*): (?:[\w.]+: )?`;

/**
 * What keeps a device from coming up. A file system on it is then not mounted, which is reported
 * separately.
 */
const NVDIMM_SETUP = [
  'failed to (?:create|request|register|initialize|get shared memory|establish)\\b.*',
  "'badblocks' notification disabled",
  'security event setup failed.*',
  'is \\S+, failing probe',
  '.*\\bfailure: config access disabled',
  '.*\\b(?:is read-only, unable to init|read-\\S+, marking|unable to satisfy requested alignment)\\b.*',
  '.*\\b(?:misaligned|is not \\S+ aligned|unknown input size|unable to map)\\b.*',
  '(?:alignment|bad offset|pfn array size|number of pfns|label area|init: create_arenas)\\b.*',
  'Memory debug options prevent.*',
  '(?:Unable to register|could not reserve) region .*',
  'Overwrite operation in progress.*',
  'missing label for .*|.* missing label for .*',
  'No existing arenas',
  'insufficient label space',
  '.*\\bis not BLK capable',
  'failed to send command to virtio pmem device, no free slots.*',
];

const NVDIMM_RULES: readonly Rule[] = [
  // Always the case if the memory has no flush hints, as with `memmap`.
  harmless(anyOf(NVDIMM, ['unable to guarantee persistence of writes', 'Bypassing cpu_cache_'])),
  line('device', anyOf(`${NVDIMM}(?<what>`, NVDIMM_SETUP, ')'), 'notice'),
  line('io-error', new RegExp(`${NVDIMM}(?<what>failed to send command to virtio pmem device)`)),
  line('io-error', new RegExp(`${NVDIMM}(?<what>virtio pmem device needs a reset)`)),
  needing(
    'nvdimm_flush',
    line('io-error', /^(?:.{1,60}: )?(?<what>nvdimm_flush\b.{0,60}(?:fail|[Ee]rror|-\d).*)/),
  ),
  line(
    'io-error',
    new RegExp(
      `${NVDIMM}(?<what>.*(?:[Ee]rror|[Ff]ail|poison|bad ?block|corrupt|Invalid use|unknown padding|Unable to deduce|out of range|unaligned bio|smaller than lane|conflicting).*)`,
    ),
  ),
  line('device', /^nvdimm_pmu: (?<what>.*fail.*)/, 'notice'),
  harmless(/^nvdimm_pmu: /),
];

/** `device_dax dax0.0: `, `kmem dax0.0: `, `hmem hmem.0: `. */
const DAX_DEVICE = String.raw`^(?:(?:device_dax|kmem|dax\w*|hmem\w*|cxl_dax_region) )(?<device>(?:dax|hmem|region)[\w.]*): `;

const DAX_RULES: readonly Rule[] = [
  harmless(new RegExp(`${DAX_DEVICE}.*(?:fail, (?:attempted|unaligned|vma)|too small after)`)),
  line('device', new RegExp(`${DAX_DEVICE}(?<what>.*)`), 'notice'),
  line(
    'device',
    /^(?<what>(?:failed to register device-dax|(?:hmem|memregion)\w* (?:device |memregion_info |resource )?allocation failure).*)/,
    'notice',
  ),
];

/**
 * `cxl_pci 0000:35:00.0: `, `cxl_mem mem0: `, `cxl_port endpoint2: `, `cxl region0: `. The group `places`
 * holds the names that follow, and is never matched again with fewer of them.
 */
const CXL = String.raw`^(?:cxl\w*|acpi0017) (?<device>[\w.:]*[\w.]): (?=(?<places>(?:\w[\w.:-]{0,40}: ){0,3}))\k<places>`;

/** The device or its memory failed while it was in use. */
const CXL_FAILURES = [
  '(?:frozen|failure) state error detected.*',
  "Event log '\\d+': Failed to .*",
  'Error (?:aborting|activating) .*',
  'Offlining aliased SPA address.*',
  '(?:memdev disabled|SBR happened|System may be unstable)\\b.*',
  '[Tt]imeout (?:a?waiting)\\b.*',
  'Failed to (?:synchronize|sanitize)\\b.*',
];
/** Only the last "poison" of a line decides: a look ahead from each one takes quadratic time. */
const CXL_POISON = String.raw`${CXL}(?<what>[^]*\b[Pp]oison (?:(?!inject|clear|\b[Pp]oison )[^])*)$`;

const CXL_RULES: readonly Rule[] = [
  harmless(anyOf(CXL, ['host supports CXL', 'Bypassing cpu_cache_', 'restart CXL.mem'])),
  line('io-error', anyOf(`${CXL}(?<what>`, CXL_FAILURES, ')')),
  needing('device state', line('io-error', new RegExp(`${CXL}(?<what>.*, device state .*)`))),
  needing('oison ', line('io-error', new RegExp(CXL_POISON))),
  needing(
    ' error',
    line('io-error', new RegExp(`${CXL}(?<what>.*\\b(?:uncorrectable|fatal) error\\b.*)`)),
  ),
  // The others concern finding and setting up the device: without it nothing is mounted.
  line('device', new RegExp(`${CXL}(?<what>.*)`), 'notice'),
  line(
    'device',
    /^(?<what>Malformed (?:DSLBIS|DSMAS|SSLBIS) table length|No matching DSMAS entry|QTG ID \d+ greater than MAX).*/,
    'notice',
  ),
];

const MEMORY_FAILURE: readonly Head[] = [
  // Asked for by madvise(MADV_HWPOISON) or the hwpoison module.
  line('machine-check', /^(?<what>Injecting memory failure)\b.*/, 'notice'),
  line('machine-check', /^Memory failure: (?:0x[\da-f]+: )?(?<what>.*)/),
  line('machine-check', /^[Ss]oft[ _]offline: (?<what>.*)/, 'notice'),
  line('machine-check', /^(?:Unpoison|unpoison_memory): (?<what>.*)/, 'notice'),
  needing(
    ': 0x',
    line(
      'machine-check',
      /^(?<name>\w+): 0x[\da-f]+:? (?<what>page already poisoned|non anonymous thp|thp split failed|unknown page type).*/,
      'notice',
    ),
  ),
];

/** For partitions or regions that are skipped, and for old programs. */
const PASSED_OVER: readonly Rule[] = [
  harmless(/^HMEM: skip /),
  harmless(/^run queue from wrong CPU/),
  harmless(/^(?:Fix your initscripts|warning: process `.*' used the obsolete bdflush)/),
];

export const DEVICES: readonly Rule[] = [
  ...BLOCK,
  ...DAX_CORE,
  ...NVDIMM_RULES,
  ...DAX_RULES,
  ...CXL_RULES,
  ...MEMORY_FAILURE,
  ...PASSED_OVER,
];
