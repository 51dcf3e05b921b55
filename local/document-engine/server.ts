import { timingSafeEqual, createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express, { Router, type ErrorRequestHandler, type Request, type RequestHandler } from "express";
import type { Logger } from "pino";
import { build } from "./build.ts";
import { annotationRoutes } from "./http/annotations.ts";
import { commentRoutes } from "./http/comments.ts";
import { documentRoutes } from "./http/documents.ts";
import { Faults } from "./http/faults.ts";
import { instructionsOf, layerRoutes } from "./http/layers.ts";
import { layerAdministration } from "./http/layer-administration.ts";
import { systemIds, type IdSource } from "./ids.ts";
import { Library } from "./library.ts";
import { damaged, isOfLibrary } from "./pdf/pdf-file.ts";
import { Refusal } from "./refusal.ts";
import { Store } from "./store.ts";

interface DocumentEngineOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Holds the documents; what a former run left there is served again. */
  directory: string;
  /** The token of the API. */
  token: string;
  ids?: IdSource;
  logger?: Logger;
}

export interface DocumentEngine {
  url: string;
  /** Ends open connections; the documents stay in the directory. */
  stop: () => Promise<void>;
}

const largestBody = "950mb";

/** The stand-in of Document Engine: an HTTP server on the loopback interface that behaves as the real one is documented. */
export async function startDocumentEngine(options: DocumentEngineOptions): Promise<DocumentEngine> {
  const { directory, token, port = 0, ids = systemIds, logger } = options;
  const store = new Store(directory);
  const server = application(new Library(store, ids), token, logger).listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

function application(library: Library, token: string, logger: Logger | undefined) {
  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.get("/healthcheck", (_request, response) => {
    response.status(200).end();
  });

  const faults = new Faults();
  const body = express.raw({ type: () => true, limit: largestBody });
  const administration = Router();
  faults.routes(administration);
  app.use("/stand-in", authorized(token), body, administration);

  const api = Router();
  documentRoutes(api, library);
  layerAdministration(api, library);
  const layer = Router({ mergeParams: true });
  annotationRoutes(layer, library);
  commentRoutes(layer, library);
  layerRoutes(layer, library);
  api.use(["/documents/:documentId/layers/:layerName", "/documents/:documentId"], layer);
  api.post("/build", async (request, response) => {
    const bytes = build(library, await instructionsOf(request));
    response.type("application/pdf").send(Buffer.from(bytes));
  });
  app.use("/api", authorized(token), faults.middleware, body, api);

  app.use((_request, response) => {
    response.status(404).json({ error: { reason: "not_found" } });
  });
  app.use(answerError(logger));
  return app;
}

/** `Token token=…`, with quotes or without. */
function authorized(token: string): RequestHandler {
  return (request, response, next) => {
    if (same(givenToken(request), token)) next();
    else response.status(401).send("Unauthorized");
  };
}

function givenToken(request: Request): string {
  return /^Token token="?([^"]*)"?$/.exec(request.get("authorization") ?? "")?.[1] ?? "";
}

function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function answerError(logger: Logger | undefined): ErrorRequestHandler {
  return (given: unknown, request, response, next) => {
    if (response.headersSent) {
      next(given);
      return;
    }
    const error: unknown = isOfLibrary(given) ? damaged() : given;
    if (error !== given) logger?.error({ err: given }, "the PDF library failed");
    if (error instanceof Refusal) {
      logger?.info(
        { method: request.method, path: request.path, status: error.status, code: error.code },
        error.message,
      );
      response.status(error.status);
      if (typeof error.body === "string") response.type("text/plain").send(error.body);
      else response.json(error.body);
      return;
    }
    logger?.error({ err: error, method: request.method, path: request.path }, "a request failed");
    const status = statusOf(error);
    response.status(status).json({ error: { reason: status === 413 ? "too_large" : "internal_error" } });
  };
}

/** Body parsers and the router say by `status` what was wrong with a request. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status === "number" ? status : 500;
}
