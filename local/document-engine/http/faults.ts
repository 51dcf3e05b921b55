import { setTimeout as delay } from "node:timers/promises";
import type { NextFunction, Request, Response, Router } from "express";
import { z } from "zod";
import { badRequest } from "../refusal.ts";
import { bodyOf } from "./body.ts";

/** What can go wrong on demand. */
export const fault = z.discriminatedUnion("kind", [
  /** 503 without a body: too many jobs, as newer engines say it. */
  z.strictObject({ kind: z.literal("unavailable") }),
  /** 500 "overload", as older ones say it. */
  z.strictObject({ kind: z.literal("overload") }),
  /** 504 from a proxy that lost patience. */
  z.strictObject({ kind: z.literal("gatewayTimeout") }),
  /** 401, as after the token was changed. */
  z.strictObject({ kind: z.literal("unauthorized") }),
  /** Any other answer. */
  z.strictObject({ kind: z.literal("status"), status: z.int().min(400).max(599), body: z.string().default("") }),
  /** The answer comes that much later. */
  z.strictObject({ kind: z.literal("slow"), milliseconds: z.int().positive() }),
  /** No answer: the connection is closed after that long. */
  z.strictObject({ kind: z.literal("closed"), milliseconds: z.int().nonnegative().default(0) }),
  /** Half of the answer comes; `cleanly` as if that were all. */
  z.strictObject({ kind: z.literal("cut"), cleanly: z.boolean().default(false) }),
  /** The work is done, and the answer to it is lost. */
  z.strictObject({ kind: z.literal("lostAnswer") }),
  /** The last annotation of a batch is not written. */
  z.strictObject({ kind: z.literal("partialFailure") }),
  /** A JSON list ends early. */
  z.strictObject({ kind: z.literal("truncated"), limit: z.int().nonnegative() }),
  /** An upload succeeds, and says in `errors` that something of it did not. */
  z.strictObject({ kind: z.literal("importError"), reason: z.string().default("1 annotation was skipped") }),
]);
export type Fault = z.input<typeof fault>;

/** When a fault happens: for requests of this method and with a path that matches, after `skip` of them, `times` times. */
const faultPlan = z.strictObject({
  method: z.string().optional(),
  /** A regular expression. */
  path: z.string().optional(),
  skip: z.int().nonnegative().default(0),
  times: z.int().positive().default(1),
  fault,
});
export type FaultPlan = z.input<typeof faultPlan>;
type Planned = z.output<typeof faultPlan>;

/** What the routes themselves must do differently. */
export interface Marks {
  failLast?: boolean;
  truncateAt?: number;
  importError?: string;
}

export function markedFor(response: Response): Marks {
  return (response.locals["marks"] ?? {}) as Marks;
}

const plainAnswers = {
  unavailable: { status: 503, body: "" },
  overload: { status: 500, body: "overload" },
  gatewayTimeout: { status: 504, body: "<html><body><h1>504 Gateway Time-out</h1></body></html>" },
  unauthorized: { status: 401, body: "Unauthorized" },
};

/** One request that was answered, or whose connection ended without an answer (status 0). */
interface Answered {
  method: string;
  path: string;
  status: number;
}

const rememberedRequests = 100_000;

/** The faults that are planned and the requests that came: what an administrator of the stand-in sees and changes. */
export class Faults {
  #plans: Planned[] = [];
  #requests: Answered[] = [];

  /** Stands before all routes of the engine. */
  middleware = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const { method, path } = request;
    response.once("close", () => {
      this.#requests.push({ method, path, status: response.writableFinished ? response.statusCode : 0 });
      if (this.#requests.length > rememberedRequests) this.#requests.shift();
    });
    const due = this.#take(method, path);
    if (!due || (await arrange(due, request, response))) next();
  };

  /** Faults and requests over HTTP: `…/faults` and `…/requests`. */
  routes(router: Router): void {
    router.get("/faults", (_request, response) => {
      response.json(this.#plans);
    });
    router.put("/faults", async (request, response) => {
      const body = await bodyOf(request);
      const parsed = z.array(faultPlan).safeParse(body.kind === "json" ? body.value : undefined);
      if (!parsed.success) throw badRequest("INVALID_FAULTS", z.prettifyError(parsed.error));
      this.#plans = parsed.data;
      response.status(204).end();
    });
    router.get("/requests", (_request, response) => {
      response.json(this.#requests);
    });
    router.delete("/requests", (_request, response) => {
      this.#requests = [];
      response.status(204).end();
    });
  }

  #take(method: string, path: string): Fault | undefined {
    const plan = this.#plans.find(
      (candidate) =>
        (candidate.method === undefined || candidate.method === method) &&
        (candidate.path === undefined || new RegExp(candidate.path).test(path)),
    );
    if (!plan) return undefined;
    if (plan.skip > 0) {
      plan.skip--;
      return undefined;
    }
    if (--plan.times === 0) this.#plans = this.#plans.filter((other) => other !== plan);
    return plan.fault;
  }
}

/** Prepares a fault; false when the request is answered with that. */
async function arrange(due: Fault, request: Request, response: Response): Promise<boolean> {
  switch (due.kind) {
    case "slow":
      await delay(due.milliseconds);
      return true;
    case "closed":
      await delay(due.milliseconds);
      request.socket.destroy();
      return false;
    case "cut":
      cutShort(request, response, due.cleanly === true);
      return true;
    case "lostAnswer":
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      return true;
    case "partialFailure":
      response.locals["marks"] = { failLast: true } satisfies Marks;
      return true;
    case "truncated":
      response.locals["marks"] = { truncateAt: due.limit } satisfies Marks;
      return true;
    case "importError":
      response.locals["marks"] = { importError: due.reason ?? "" } satisfies Marks;
      return true;
    case "status":
      response.status(due.status).send(due.body);
      return false;
    case "unavailable":
    case "overload":
    case "gatewayTimeout":
    case "unauthorized": {
      const { status, body } = plainAnswers[due.kind];
      response.status(status).send(body);
      return false;
    }
  }
}

function cutShort(request: Request, response: Response, cleanly: boolean): void {
  response.send = (body: string | Buffer) => {
    const bytes = Buffer.from(body);
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => {
      if (cleanly) response.end();
      else request.socket.destroy();
    });
    return response;
  };
}
