import type { Redaction } from "../redaction.ts";

export interface RebuildJob {
  source: Uint8Array;
  produced: Uint8Array;
  redactions: readonly Redaction[];
  isQuoting: (text: string) => boolean;
}

export interface Rebuilt {
  pdf: Uint8Array;
  removed: Record<string, number>;
}

export function rebuild({ produced }: RebuildJob): Promise<Rebuilt> {
  return Promise.resolve({ pdf: produced, removed: {} });
}
