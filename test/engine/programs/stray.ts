/** Succeeds but leaves a rejection that nobody handles. */
export function exchangeProgram(): Record<string, unknown> {
  void Promise.reject(new Error("a stray rejection"));
  return {};
}
