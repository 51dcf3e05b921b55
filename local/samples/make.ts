import { destinationCase } from "./destination-case.ts";
import { allEnded } from "./in-turn.ts";
import { sourceCase, type SourceKnowledge } from "./source-case.ts";
import { storeCase, type CaseStore } from "./store.ts";

export interface SampleOptions extends CaseStore {
  sourceCaseId: number;
  destinationCaseId: number;
  /** Equal seeds give equal cases, byte for byte. */
  seed?: number;
  /** The moment at which the cases are made. */
  now?: Date;
}

export const sampleMoment = new Date("2026-03-04T05:06:07Z");

/** Makes two sample cases: a source full of everything, and a destination that is in use already. */
export async function makeSampleCases(options: SampleOptions): Promise<SourceKnowledge> {
  const { seed = 1, now = sampleMoment } = options;
  const [{ knowledge }] = await allEnded([
    sourceCase(options.sourceCaseId, seed, now).then(async (made) => {
      await storeCase(options, made.builder);
      return made;
    }),
    makeDestinationCase(options, options.destinationCaseId, seed, now),
  ]);
  return knowledge;
}

/** Makes the destination alone, for a source of another kind. */
export async function makeDestinationCase(
  store: CaseStore,
  caseId: number,
  seed = 1,
  now = sampleMoment,
): Promise<void> {
  await storeCase(store, await destinationCase(caseId, seed + 1, now));
}
