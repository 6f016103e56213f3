/** A file of the plugin is incomplete or malformed: nothing can be concluded from it. */
export class BrokenFile extends Error {}
