import type { FileSystem } from '../file-systems.js';

/** A file of the user's that runs as a test. */
export interface UserTest {
  /** The word on the command line; the id of its results. */
  id: string;
  /** Absolute. */
  file: string;
  kind: UserTestKind;
  settings: UserTestSettings;
  /** A directory that the guest gets read-only: absolute. */
  with?: string | undefined;
  /** From a kept run: what the guest got, ready to send. Nothing is compiled or looked up then. */
  packed?: string | undefined;
}

/** `program`: a script or a binary; `c`: compiled on the host; `fio`: a job file. */
export type UserTestKind = 'program' | 'c' | 'fio';

export const EXPECTED_VERDICTS = ['pass', 'fail'] as const;

/** What `# daxrepro:` lines at the top of the file set. Options of the command line win. */
export interface UserTestSettings {
  fileSystems?: FileSystem[];
  mountOptions?: string;
  mkfsOptions?: string;
  /** Bytes of each device. */
  size?: number;
  /** Bytes of the guest's memory. */
  memory?: number;
  /** Seconds. */
  timeout?: number;
  /** Seconds after which the program is ended, and has done its work: it never ends by itself. */
  runFor?: number;
  expect?: (typeof EXPECTED_VERDICTS)[number];
  summary?: string;
  /** Further words for the compiler. */
  cflags?: string;
}

/** What is sent to the guest for a test. */
export interface PackedUserTest {
  test: UserTest;
  /** A tar archive, unpacked at the guest's root. */
  file: string;
  bytes: number;
  /** SHA-256 of the archive: the test's version. */
  sha256: string;
}
