/** How to build each file system as a module outside its kernel's tree. */
export interface ModuleRecipe {
  name: string;
  /** Path below the sources: `fs/ext2`. */
  subdirectory: string;
  /**
   * Options to build it with if the kernel's configuration has the file system off. Its make files
   * and its code see them as if they were configured.
   */
  options: Readonly<Record<string, 'y' | 'm'>>;
  /**
   * Directories with headers, below `subdirectory`. Its make file names them only for a build in
   * the tree.
   */
  includes: readonly string[];
}

export const RECIPES = {
  ext2: {
    name: 'ext2',
    subdirectory: 'fs/ext2',
    options: {
      EXT2_FS: 'm',
      EXT2_FS_XATTR: 'y',
      EXT2_FS_POSIX_ACL: 'y',
      EXT2_FS_SECURITY: 'y',
    },
    includes: [],
  },
  ext4: { name: 'ext4', subdirectory: 'fs/ext4', options: {}, includes: ['.'] },
  xfs: { name: 'xfs', subdirectory: 'fs/xfs', options: {}, includes: ['.', 'libxfs'] },
} as const satisfies Record<string, ModuleRecipe>;
