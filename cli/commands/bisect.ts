export async function bisectCommand(..._: unknown[]): Promise<number> {
  return 3;
}
