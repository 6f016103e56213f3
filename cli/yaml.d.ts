/** YAML files of this package that sources import: read when the program is built, not when it runs. */
declare module '*.yaml' {
  const content: unknown;
  export default content;
}
