import { readFile } from "node:fs/promises";
import type { Request, RequestHandler } from "express";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import { z } from "zod";
import { caseId } from "../../contracts/ids.ts";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { CaseScope } from "../registry/exchanges.ts";
import { Problem } from "./problem.ts";

export const scopes = ["exchange:read", "exchange:write", "exchange:operate"] as const;
export type Scope = (typeof scopes)[number];

/** Who asks, and what its token lets it do. */
export interface Caller {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly cases: CaseScope;
}

const claims = z.object({
  sub: z.string().min(1).max(255),
  scope: z.string().default(""),
  cases: z.union([z.literal("*"), z.array(caseId)]).default([]),
});

/** Signatures by a private key only: a shared secret would let every reader of it write tokens. */
const algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];

/** The issuer's public keys, from its https URL (cached and refreshed) or from a file. */
export async function readKeys(url: URL): Promise<JWTVerifyGetKey> {
  if (url.protocol === "https:") return createRemoteJWKSet(url);
  try {
    return createLocalJWKSet(JSON.parse(await readFile(url, "utf8")) as JSONWebKeySet);
  } catch (error) {
    throw new InvalidInputError("INVALID_JWKS", `${url.href} is not a key set: check EXCHANGER_JWKS`, { cause: error });
  }
}

const callers = new WeakMap<Request, Caller>();

/** The caller of a request that {@link authenticate} let pass. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (!caller) throw unauthorized("the request has no bearer token");
  return caller;
}

/** Lets a request pass only with a valid bearer token. */
export function authenticate(keys: JWTVerifyGetKey, issuer: string, audience: string): RequestHandler {
  return async (request, _response, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (token === undefined) throw unauthorized("send a bearer token in the Authorization header");
    callers.set(request, await verify(token, keys, issuer, audience));
    next();
  };
}

async function verify(token: string, keys: JWTVerifyGetKey, issuer: string, audience: string): Promise<Caller> {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms, requiredClaims: ["exp", "sub"] });
    const given = claims.parse(payload);
    return { subject: given.sub, scopes: new Set(given.scope.split(" ")), cases: given.cases };
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw unauthorized("the token has expired", "invalid_token");
    if (error instanceof errors.JWKSTimeout) {
      throw new Problem(503, "KEYS_UNAVAILABLE", "the issuer's keys cannot be read now; try again");
    }
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) {
      throw unauthorized("the token is not valid here", "invalid_token");
    }
    throw error;
  }
}

/** Lets a request pass only if its token has the scope, or one of them. */
export function requireScope(...anyOf: [Scope, ...Scope[]]): RequestHandler {
  return (request, _response, next) => {
    const { scopes: held } = callerOf(request);
    if (!anyOf.some((scope) => held.has(scope))) {
      const header = `Bearer error="insufficient_scope", scope="${anyOf.join(" ")}"`;
      throw new Problem(403, "INSUFFICIENT_SCOPE", `the token lacks the scope ${anyOf.join(" or ")}`, {
        headers: { "WWW-Authenticate": header },
      });
    }
    next();
  };
}

export function mayTouch(caller: Caller, id: number): boolean {
  return caller.cases === "*" || caller.cases.includes(id);
}

function unauthorized(detail: string, error?: string): Problem {
  const header = error === undefined ? "Bearer" : `Bearer error="${error}"`;
  return new Problem(401, "UNAUTHORIZED", detail, { headers: { "WWW-Authenticate": header } });
}
