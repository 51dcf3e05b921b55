import PQueue from "p-queue";

/**
 * Works on a few items at a time, results in their order. After the first failure nothing new begins, and it is thrown once
 * all that was under way has ended, so that what the work uses can be closed.
 */
export async function inTurn<T, R>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const queue = new PQueue({ concurrency });
  try {
    return await Promise.all([...items].map((item) => queue.add(() => work(item))));
  } finally {
    queue.clear();
    await queue.onIdle();
  }
}

/** As `Promise.all`, but throws the first failure only when all of them have ended. */
export async function allEnded<T extends readonly unknown[]>(
  works: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  let first: { error: unknown } | undefined;
  const results = await Promise.all(
    works.map((work) =>
      work.catch((error: unknown) => {
        first ??= { error };
      }),
    ),
  );
  if (first) throw first.error;
  return results as unknown as T;
}
