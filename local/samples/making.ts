import { CaseBuilder, sqlTime } from "./builder.ts";
import { Random } from "./content/random.ts";

const day = 86_400_000;

/** What every step of making a case works with. */
export interface Making {
  readonly builder: CaseBuilder;
  readonly random: Random;
  /** The moment at which the case is made; everything in it lies before. */
  readonly now: Date;
}

export function beginCase(caseId: number, options: { firstId: number; seed: number; now: Date }): Making {
  return { builder: new CaseBuilder(caseId, options.firstId), random: new Random(options.seed), now: options.now };
}

/** Some moment of the day so many days ago, to the microsecond. */
export function daysAgo({ random, now }: Making, days: number): string {
  const midnight = Math.floor(now.getTime() / day) * day;
  return sqlTime(new Date(midnight - days * day + random.int(0, day - 1)), random.int(0, 999));
}
