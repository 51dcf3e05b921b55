import express, { type Express, type RequestHandler } from "express";
import type { JWTVerifyGetKey } from "jose";
import type { Logger } from "pino";
import { pinoHttp } from "pino-http";
import { authenticate, requireScope } from "./auth.ts";
import { jsonBody } from "./body.ts";
import { cancel, create, documents, forceDestroy, index, show, type ExchangeRoutes } from "./exchanges.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { Problem, problemHandler } from "./problem.ts";

export interface AppOptions {
  readonly routes: ExchangeRoutes;
  readonly auth: { readonly keys: JWTVerifyGetKey; readonly issuer: string; readonly audience: string };
  /** Resolves when requests can be served; rejects with the reason. */
  readonly ready: () => Promise<void>;
  /** The process's numbers, as Prometheus reads them. */
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function createApp({ routes, auth, ready, metrics, log }: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(requestLog(log));

  app
    .route("/healthz")
    .get((_request, response) => {
      response.json({ status: "alive" });
    })
    .all(onlyMethods("GET"));
  app
    .route("/readyz")
    .get(async (_request, response) => {
      try {
        await ready();
      } catch (error) {
        log.warn({ err: error }, "not ready");
        throw new Problem(503, "NOT_READY", "the registry cannot be reached");
      }
      response.json({ status: "ready" });
    })
    .all(onlyMethods("GET"));

  app
    .route("/metrics")
    .get(async (_request, response) => {
      response.type(metrics.contentType).send(await metrics.text());
    })
    .all(onlyMethods("GET"));

  const known = authenticate(auth.keys, auth.issuer, auth.audience);
  const read = [known, requireScope("exchange:read")];
  const write = [known, requireScope("exchange:write")];
  const operate = [known, requireScope("exchange:operate")];
  const stop = [known, requireScope("exchange:write", "exchange:operate")];
  const json = jsonBody();
  for (const path of ["/exchanges", "/exchange"]) {
    app.route(path).get(read, index(routes)).post(write, json, create(routes)).all(onlyMethods("GET, POST"));
    app
      .route(`${path}/:id`)
      .get(read, show(routes))
      .delete(operate, forceDestroy(routes))
      .all(onlyMethods("GET, DELETE"));
    app.route(`${path}/:id/cancel`).post(stop, cancel(routes)).all(onlyMethods("POST"));
    app.route(`${path}/:id/documents`).get(read, documents(routes)).all(onlyMethods("GET"));
  }

  app.use(() => {
    throw new Problem(404, "ROUTE_NOT_FOUND", "there is nothing at this address");
  });
  app.use(problemHandler(log));
  return app;
}

function onlyMethods(allowed: string): RequestHandler {
  return (request) => {
    const detail = `${request.method} is not possible here: use ${allowed}`;
    throw new Problem(405, "METHOD_NOT_ALLOWED", detail, { headers: { Allow: allowed } });
  };
}

/** Method, path and status; neither headers, which hold tokens, nor bodies. */
function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    serializers: {
      req: ({ id, method, url }: { id: unknown; method: unknown; url: unknown }) => ({ id, method, url }),
      res: ({ statusCode }: { statusCode: unknown }) => ({ statusCode }),
    },
    customLogLevel: (request, { statusCode }) =>
      statusCode >= 500 ? "error" : request.method === "GET" && statusCode < 400 ? "debug" : "info",
    autoLogging: {
      ignore: (request) => request.url === "/healthz" || request.url === "/readyz" || request.url === "/metrics",
    },
  });
}
