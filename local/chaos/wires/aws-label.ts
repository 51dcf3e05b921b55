import { resourcePrefix } from "../../../contracts/names.ts";
import type { HttpRequest } from "./http-wire.ts";
import type { Seen } from "./switchboard.ts";

/** Names an AWS request: service and action as IAM has them, and what it is about. */
export function recogniseAws(request: HttpRequest): Seen {
  const service = serviceOf(request);
  const action = actionOf(service, request);
  const about = aboutWhat(service, action, request);
  return {
    wire: "aws",
    label: `${service}.${action}${about === undefined ? "" : `(${about})`}`,
    mutates: !/^(Get|List|Describe|Head|Assume|Receive|Simulate|Filter)/.test(action),
    // Pulumi keeps a copy of the state before each write of it; nobody reads it, and the write follows at once.
    periodic: action === "CopyObject" && about === stacks,
  };
}

const stacks = "state stacks";

/** A poll changes something only when it brings messages: they are out of others' sight. */
export function recogniseAwsAnswer(request: HttpRequest, body: Buffer): Seen | undefined {
  if (target(request) !== "ReceiveMessage") return undefined;
  const messages = (parseJson(body) as { Messages?: { Body?: string }[] } | undefined)?.Messages ?? [];
  if (messages.length === 0) return undefined;
  const kinds = messages.map(({ Body = "" }) => messageKind(Body)).sort();
  const queue = aboutQueue(request);
  return { wire: "aws", label: `sqs.ReceiveMessage(${queue}: ${kinds.join(" ")})`, mutates: true, periodic: false };
}

/** The last but one part of SigV4's scope. */
function serviceOf({ headers }: HttpRequest): string {
  const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\/aws4_request/.exec(String(headers["authorization"] ?? ""));
  return scope?.[1] ?? "unsigned";
}

function actionOf(service: string, request: HttpRequest): string {
  return (
    target(request) ??
    /(?:^|&)Action=([^&]+)/.exec(formOf(request))?.[1] ??
    (service === "s3" ? s3Action(request) : service === "lambda" ? lambdaAction(request) : undefined) ??
    `${request.method} ${request.url.split("?")[0] ?? ""}`
  );
}

/** The JSON protocols name the action in a header: `AmazonSQS.SendMessage`. */
function target({ headers }: HttpRequest): string | undefined {
  return /\.([^.]+)$/.exec(String(headers["x-amz-target"] ?? ""))?.[1];
}

function formOf({ headers, body }: HttpRequest): string {
  return String(headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")
    ? body.toString("utf8")
    : "";
}

function s3Action({ method, url, headers }: HttpRequest): string {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const isObject = /^\/[^/]+\/./.test(pathname);
  const what = isObject ? "Object" : "Bucket";
  switch (method) {
    case "GET":
      return isObject ? "GetObject" : searchParams.has("list-type") ? "ListObjectsV2" : "GetBucket";
    case "HEAD":
      return `Head${what}`;
    case "DELETE":
      return `Delete${what}`;
    case "POST":
      return searchParams.has("delete") ? "DeleteObjects" : "PostObject";
    default:
      return headers["x-amz-copy-source"] === undefined ? `Put${what}` : "CopyObject";
  }
}

const lambdaRoutes: readonly (readonly [RegExp, string])[] = [
  [/^GET .*\/event-source-mappings\/[^/]+$/, "GetEventSourceMapping"],
  [/^POST .*\/event-source-mappings\/?$/, "CreateEventSourceMapping"],
  [/^PUT .*\/event-source-mappings\/[^/]+$/, "UpdateEventSourceMapping"],
  [/^DELETE .*\/event-source-mappings\/[^/]+$/, "DeleteEventSourceMapping"],
  [/^GET .*\/event-source-mappings\/?$/, "ListEventSourceMappings"],
  [/^POST .*\/functions\/?$/, "CreateFunction"],
  [/^PUT .*\/functions\/[^/]+\/code$/, "UpdateFunctionCode"],
  [/^PUT .*\/functions\/[^/]+\/configuration$/, "UpdateFunctionConfiguration"],
  [/^PUT .*\/functions\/[^/]+\/concurrency$/, "PutFunctionConcurrency"],
  [/^DELETE .*\/functions\/[^/]+$/, "DeleteFunction"],
  [/^POST .*\/tags\/.+$/, "TagResource"],
  [/^DELETE .*\/tags\/.+$/, "UntagResource"],
];

function lambdaAction({ method, url }: HttpRequest): string | undefined {
  const path = `${method} ${url.split("?")[0] ?? ""}`;
  return lambdaRoutes.find(([pattern]) => pattern.test(path))?.[1] ?? (method === "GET" ? "GetFunction" : undefined);
}

function aboutWhat(service: string, action: string, request: HttpRequest): string | undefined {
  if (service === "s3") return aboutObject(request.url);
  if (service === "sns" && action === "Publish") {
    return /"eventType"\s*:\s*"([A-Z_0-9]+)"/.exec(decodeForm(request))?.[1];
  }
  if (service === "sqs") {
    const queue = aboutQueue(request);
    const message = (parseJson(request.body) as { MessageBody?: string } | undefined)?.MessageBody;
    return message === undefined ? queue : `${queue}: ${messageKind(message)}`;
  }
  return ownName(decodeURIComponent(request.url) + decodeForm(request));
}

/** What kind of our resources a text names first: `doc_exch_s3_copy_queue_102_first-1a2b3c4` → `s3_copy_queue`. */
function ownName(text: string): string | undefined {
  const named = new RegExp(`${resourcePrefix}([a-z0-9_]+?)(?:_(queue|lambda|role|policy))?(?:_\\d+_|[-"&/:]|$)`).exec(
    text,
  );
  return named?.[2] === undefined ? named?.[1] : `${named[1] ?? ""}_${named[2]}`;
}

/** One of ours by its kind; the only other one is the uploader's. */
function aboutQueue({ body }: HttpRequest): string {
  const { QueueUrl = "", QueueName = "" } = (parseJson(body) ?? {}) as { QueueUrl?: string; QueueName?: string };
  return ownName(QueueUrl + QueueName) ?? "uploader";
}

/** Pulumi's state by what it is, anything else by where it lies; ids and times are left out. */
function aboutObject(url: string): string {
  const path = decodeURIComponent(new URL(url, "http://s3").pathname);
  const state = /\/\.pulumi\/([a-z]+)/.exec(path)?.[1];
  if (state !== undefined) return `state ${state}`;
  return path
    .split("/")
    .slice(2)
    .join("/")
    .replace(uuid, "*")
    .replace(/\d{2,}/g, "*");
}

/** The type of an event, or the kind of a command, in a message's body. */
function messageKind(body: string): string {
  return /"(?:eventType|kind)"\s*:\s*"([A-Za-z_0-9]+)"/.exec(body)?.[1] ?? "message";
}

function decodeForm(request: HttpRequest): string {
  const text = request.body.toString("utf8");
  return formOf(request) === "" ? text : decodeURIComponent(text.replaceAll("+", " "));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

export const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
