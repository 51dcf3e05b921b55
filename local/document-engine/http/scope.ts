import type { Request } from "express";
import { badRequest } from "../refusal.ts";
import type { Library } from "../library.ts";
import type { StoredLayer } from "../store.ts";

/** Which document and layer a request speaks of; without a layer's name it is the default one, named "". */
export interface Target {
  documentId: string;
  layer: string;
  password: string | undefined;
}

export function targetOf(request: Request): Target {
  return { documentId: parameter(request, "documentId"), layer: layerName(request), password: passwordOf(request) };
}

export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === "string" ? value : "";
}

function layerName(request: Request): string {
  return checkedLayerName(parameter(request, "layerName"));
}

/** @throws Refusal 400 for a name that no layer can have */
export function checkedLayerName(name: string): string {
  if (!name.includes("*") && name.length <= 256) return name;
  throw badRequest("INVALID_LAYER_NAME", "a layer's name has at most 256 characters and no '*'");
}

/** The header that opens a protected PDF: plain, or `base64:` and the encoded password. */
export function passwordOf(request: Request): string | undefined {
  const value = request.get("pspdfkit-pdf-password");
  if (value?.startsWith("base64:")) return Buffer.from(value.slice("base64:".length), "base64").toString("utf8");
  return value;
}

export function layerToRead(library: Library, { documentId, layer, password }: Target): StoredLayer {
  return library.layer(documentId, layer, password);
}

export function layerToWrite(library: Library, { documentId, layer, password }: Target): StoredLayer {
  library.document(documentId);
  return library.writable(documentId, layer, password);
}

export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === "string" ? value : undefined;
}

export function queryFlag(request: Request, name: string, standard: boolean): boolean {
  const value = queryText(request, name);
  return value === undefined ? standard : value === "true";
}
