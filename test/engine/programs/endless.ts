/** Never ends unless it is stopped. */
export function exchangeProgram(): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    setTimeout(resolve, 600_000, {});
  });
}
