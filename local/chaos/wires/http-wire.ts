import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Call, Seen, Switchboard, Verdict } from "./switchboard.ts";

/** A request as a wire sees it, whole. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

export interface HttpWireOptions {
  readonly switchboard: Switchboard;
  /** Where requests go; asked anew for each, since the other end may come back elsewhere. */
  readonly target: () => { readonly host: string; readonly port: number };
  readonly recognise: (request: HttpRequest) => Seen;
  /** Told of an answer once it is there; a poll that brought something is named only then. */
  readonly recogniseAnswer?: (request: HttpRequest, body: Buffer) => Seen | undefined;
}

export interface Wire {
  readonly port: number;
  close(): Promise<void>;
}

/** A proxy that holds every request, and every answer, until the switchboard has decided about it. */
export async function openHttpWire(options: HttpWireOptions): Promise<Wire> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    carry(options, agent, request, response).catch(() => {
      // The other end is gone, or broke off: so do we.
      request.socket.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

async function carry(
  { switchboard, target, recognise, recogniseAnswer }: HttpWireOptions,
  agent: Agent,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request: HttpRequest = {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers: incoming.headers,
    body: await buffer(incoming),
  };
  const call = switchboard.number(recognise(request));
  if (!apply(await switchboard.decide(call, "before"), response)) return;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const answer = await send(target(), agent, request, gone.signal);
  const brought = recogniseAnswer?.(request, answer.body);
  const answered: Call = brought ? switchboard.number(brought) : call;
  if (!apply(await switchboard.decide(answered, "after"), response)) return;
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

/** Whether the request, or its answer, goes on. */
function apply(verdict: Verdict, response: ServerResponse): boolean {
  if (verdict.do === "pass") return true;
  if (verdict.do === "cut") response.socket?.destroy();
  else response.writeHead(verdict.status, verdict.headers).end(verdict.body);
  return false;
}

function send(
  { host, port }: { host: string; port: number },
  agent: Agent,
  { method, url, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host, port, method, path: url, headers: onward(headers, body), agent, signal });
    outgoing.on("error", reject);
    outgoing.on("response", (answer) => {
      buffer(answer).then(
        (content) =>
          resolve({ status: answer.statusCode ?? 502, headers: back(answer.headers, method, content), body: content }),
        reject,
      );
    });
    outgoing.end(body);
  });
}

/** The body is whole by now, so its length is known; the host stays, since it is part of what was signed. */
function onward(headers: HttpRequest["headers"], body: Buffer): Record<string, string | string[] | undefined> {
  const kept = without(headers, "transfer-encoding", "expect", "connection");
  const sized = body.length > 0 || kept["content-length"] !== undefined;
  return sized ? { ...kept, "content-length": String(body.length) } : kept;
}

function back(headers: IncomingMessage["headers"], method: string, body: Buffer): HttpAnswer["headers"] {
  const kept = without(headers, "transfer-encoding", "connection", "keep-alive");
  // An answer to HEAD has the length of a body that does not come.
  return method === "HEAD" ? kept : { ...kept, "content-length": String(body.length) };
}

/** Headers that are between two ends of one connection stay there. */
function without(headers: HttpRequest["headers"], ...names: string[]): Record<string, string | string[] | undefined> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
