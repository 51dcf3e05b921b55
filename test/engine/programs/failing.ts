export function exchangeProgram(): Record<string, unknown> {
  throw new Error("AccessDenied: the program may not do this");
}
