import { admit } from "../../engine/registry/admission.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { type Claim, claimDue, type Lease } from "../../engine/registry/lease.ts";
import { acceptedExchange, testRegistry, type TestRegistry } from "./kit.ts";

const tables = ["exchanges", "transitions", "operations", "outbox", "inbox", "exchange_documents"] as const;

/** A registry for the suite that calls this, empty before each of its tests. */
export class RegistryBench {
  #registry: TestRegistry | undefined;

  constructor() {
    before(async () => {
      this.#registry = await testRegistry();
    });
    after(() => this.#registry?.drop());
    beforeEach(async () => {
      for (const table of tables) await this.db.deleteFrom(table).execute();
    });
  }

  get db(): Registry {
    if (!this.#registry) throw new Error("the suite has not begun");
    return this.#registry.db;
  }

  claim(seconds = 30, isDead: Claim["isDead"] = () => false): Promise<Lease[]> {
    return claimDue(this.db, { instance: "host/1/a", seconds, limit: 10, isDead });
  }

  async admitted(): Promise<string> {
    const id = await acceptedExchange(this.db);
    await admit(this.db, 100);
    return id;
  }

  async leased(seconds = 30): Promise<{ id: string; lease: Lease }> {
    const id = await this.admitted();
    const [lease] = await this.claim(seconds);
    if (!lease) throw new Error("nothing was due");
    return { id, lease };
  }
}

export const message = (exchangeId: string, name: string) => ({
  messageId: `${exchangeId}:${name}`,
  exchangeId,
  channel: "topic" as const,
  body: { name },
});
