/** A file of the plugin that is not whole, or not of its form: nothing can be told from it. */
export class BrokenFile extends Error {}
