import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import { InvalidInputError } from "../contracts/errors.ts";
import { defaultDeadlineMinutes, type Deadlines, type LivingState } from "./exchange/deadlines.ts";

/** Everything that the engine is told from outside, parsed once; durations carry their unit in the name. */
export interface EngineConfig {
  /** Names this process in leases and operations: `host/pid/nonce`. */
  readonly instance: string;
  readonly globalStack: string;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly workDir: string;
  readonly auth: { readonly jwks: URL; readonly issuer: string; readonly audience: string };
  readonly drainDelaySeconds: number;
  readonly settlingSeconds: number;
  /** How long an uploader that cannot be reached keeps an exchange from going. */
  readonly releaseSeconds: number;
  readonly maxOperations: number;
  /** Memory that one operation takes at most; no further one begins while less is free. */
  readonly operationMiB: number;
  /** Operations that this engine may begin in a minute. */
  readonly operationsPerMinute: number;
  readonly maxLiveExchanges: number;
  /** Exchanges that may wait for a place; beyond them a request is answered with 503. */
  readonly maxWaitingExchanges: number;
  readonly deadlineMinutes: Deadlines;
  readonly leaseSeconds: number;
  readonly pollSeconds: number;
  /** Pulumi's secrets provider for new stacks; absent: the passphrase in the environment. */
  readonly secretsProvider: string | undefined;
  readonly logLevel: string;
  /** Environment of the AWS clients and of Pulumi's child processes, passed through as it came. */
  readonly environment: Readonly<Record<string, string>>;
}

const positive = z.coerce.number().positive();
const count = z.coerce.number().int().positive();

const jwks = z
  .string()
  .transform((text, context) => {
    if (URL.canParse(text)) return new URL(text);
    context.addIssue("must be a URL");
    return z.NEVER;
  })
  .refine((url) => ["https:", "file:"].includes(url.protocol), "must be a https: or file: URL");

const deadlineName = (state: string) => `EXCHANGER_DEADLINE_${state}_MINUTES`;
const livingStates = Object.keys(defaultDeadlineMinutes) as LivingState[];

const shape = {
  EXCHANGER_GLOBAL_STACK: z.string().min(1),
  EXCHANGER_HOST: z.string().min(1).default("127.0.0.1"),
  EXCHANGER_PORT: z.coerce.number().int().min(0).max(65_535),
  EXCHANGER_WORK_DIR: z.string().min(1),
  EXCHANGER_JWKS: jwks,
  EXCHANGER_JWT_ISSUER: z.string().min(1),
  EXCHANGER_JWT_AUDIENCE: z.string().min(1),
  EXCHANGER_DRAIN_DELAY_SECONDS: z.coerce.number().int().min(0).max(900).default(90),
  EXCHANGER_SETTLING_SECONDS: z.coerce.number().min(0).default(60),
  EXCHANGER_RELEASE_SECONDS: z.coerce.number().min(0).default(60),
  EXCHANGER_MAX_OPERATIONS: count.default(4),
  // The vendor's provider alone takes about half a gigabyte.
  EXCHANGER_OPERATION_MIB: count.default(800),
  // AWS takes 15 calls a second to change Lambdas; an operation with four makes about 24, and a third is left to others.
  EXCHANGER_OPERATIONS_PER_MINUTE: positive.default(25),
  EXCHANGER_MAX_LIVE_EXCHANGES: count.default(50),
  EXCHANGER_MAX_WAITING_EXCHANGES: count.default(1000),
  EXCHANGER_LEASE_SECONDS: positive.default(30),
  EXCHANGER_POLL_SECONDS: positive.default(5),
  EXCHANGER_SECRETS_PROVIDER: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
};

const variables = z.object(shape).refine((value) => value.EXCHANGER_LEASE_SECONDS >= 2 * value.EXCHANGER_POLL_SECONDS, {
  path: ["EXCHANGER_LEASE_SECONDS"],
  message: "must be at least twice EXCHANGER_POLL_SECONDS",
});

const deadlines = z.object(
  Object.fromEntries(
    livingStates.map((state) => [deadlineName(state), positive.default(defaultDeadlineMinutes[state])]),
  ),
);

/** Parses the environment; throws an error that names every variable that is missing or wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): EngineConfig {
  const given = variables.safeParse(environment);
  const times = deadlines.safeParse(environment);
  if (!given.success || !times.success) {
    const issues = [...(given.error?.issues ?? []), ...(times.error?.issues ?? [])];
    throw new InvalidInputError("INVALID_CONFIGURATION", `set these variables: ${issues.map(problem).join("; ")}`);
  }
  const value = given.data;
  const minutes = times.data;
  return {
    instance: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    globalStack: value.EXCHANGER_GLOBAL_STACK,
    host: value.EXCHANGER_HOST,
    port: value.EXCHANGER_PORT,
    workDir: value.EXCHANGER_WORK_DIR,
    auth: { jwks: value.EXCHANGER_JWKS, issuer: value.EXCHANGER_JWT_ISSUER, audience: value.EXCHANGER_JWT_AUDIENCE },
    drainDelaySeconds: value.EXCHANGER_DRAIN_DELAY_SECONDS,
    settlingSeconds: value.EXCHANGER_SETTLING_SECONDS,
    releaseSeconds: value.EXCHANGER_RELEASE_SECONDS,
    maxOperations: value.EXCHANGER_MAX_OPERATIONS,
    operationMiB: value.EXCHANGER_OPERATION_MIB,
    operationsPerMinute: value.EXCHANGER_OPERATIONS_PER_MINUTE,
    maxLiveExchanges: value.EXCHANGER_MAX_LIVE_EXCHANGES,
    maxWaitingExchanges: value.EXCHANGER_MAX_WAITING_EXCHANGES,
    deadlineMinutes: Object.fromEntries(
      livingStates.map((state) => [state, minutes[deadlineName(state)]]),
    ) as Deadlines,
    leaseSeconds: value.EXCHANGER_LEASE_SECONDS,
    pollSeconds: value.EXCHANGER_POLL_SECONDS,
    secretsProvider: value.EXCHANGER_SECRETS_PROVIDER,
    logLevel: value.LOG_LEVEL,
    environment: Object.fromEntries(
      Object.entries(environment).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
    ),
  };
}

function problem(issue: z.core.$ZodIssue): string {
  const name = issue.path.join(".");
  const what = issue.message.replace("Invalid input: ", "");
  return `${name} (${what.charAt(0).toLowerCase()}${what.slice(1)})`;
}
