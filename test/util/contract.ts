import { z } from 'zod';

/** The JSON of `run`, written from the contract and not from the code. */

const Verdict = z.enum(['pass', 'fail', 'invalid', 'notrun', 'error']);

export const ContractFinding = z.object({
  tool: z.string(),
  device: z.string().optional(),
  pass: z.number().int().optional(),
  message: z.string(),
  signature: z.string(),
  severity: z.enum(['corruption', 'repairable', 'notice']),
  inode: z.number().int().optional(),
  inodeType: z.string().optional(),
  block: z.number().int().optional(),
  offset: z.number().int().optional(),
  path: z.string().optional(),
});

export const ContractRun = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: z.string().min(1) }),
  command: z.array(z.string()),
  verdict: Verdict,
  units: z.array(
    z.object({
      fs: z.enum(['ext2', 'ext4', 'xfs']),
      test: z.string().min(1),
      suite: z.object({ name: z.enum(['builtin', 'xfstests']), version: z.string().min(1) }),
      kernel: z.object({
        spec: z.string().min(1),
        release: z.string().min(1),
        id: z.string().min(1),
      }),
      variant: z.string().min(1),
      pmem: z.enum(['memmap', 'nvdimm', 'virtio-pmem', 'cxl', 'none']),
      accel: z.enum(['kvm', 'tcg']),
      attempt: z.number().int().positive(),
      verdict: Verdict,
      reason: z.string().min(1),
      dax: z.object({
        proven: z.boolean(),
        driver: z.string(),
        mountOptions: z.string(),
        statxBefore: z.boolean().nullable(),
        statxAfter: z.boolean().nullable(),
      }),
      findings: z.array(ContractFinding),
      durationSeconds: z.number().nonnegative(),
      artifacts: z.record(z.string(), z.string()),
      replay: z.string().startsWith('daxrepro run '),
    }),
  ),
});

export type ContractRun = z.infer<typeof ContractRun>;
