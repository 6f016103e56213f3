export const FILE_SYSTEMS = ['ext2', 'ext4', 'xfs'] as const;

export type FileSystem = (typeof FILE_SYSTEMS)[number];
