import type { Progress } from "../toolchain/index.ts";

/** Runs a piece of work under a title; the implementation decides how a person sees it. */
export type Stage = <T>(title: string, work: (progress: Progress) => Promise<T>) => Promise<T>;

/** For callers that nobody watches. */
export const quietly: Stage = (_title, work) => work(() => undefined);
