import { patience } from "../../contracts/patience.ts";

/** How every client of AWS in a Lambda behaves: it asks again, and does not wait for ever. */
export const persistent = { maxAttempts: 5, requestHandler: patience };
