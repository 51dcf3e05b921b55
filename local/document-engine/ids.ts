import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export interface IdSource {
  clock: () => Date;
  /** As many bytes as are asked for. */
  random: (count: number) => Uint8Array;
}

export const systemIds: IdSource = { clock: () => new Date(), random: (count) => randomBytes(count) };

/** Ids as the engine makes them: 26 letters and digits, of which ten are the time. */
export function makeUlid({ clock, random }: IdSource): string {
  let time = clock().getTime();
  let prefix = "";
  for (let digit = 0; digit < 10; digit++) {
    prefix = alphabet.charAt(time % 32) + prefix;
    time = Math.floor(time / 32);
  }
  return prefix + Array.from(random(16), (byte) => alphabet.charAt(byte % 32)).join("");
}
