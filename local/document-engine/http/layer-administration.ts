import type { Router } from "express";
import { z } from "zod";
import type { Library } from "../library.ts";
import { badRequest, notFound, Refusal } from "../refusal.ts";
import { bodyOf } from "./body.ts";
import { instantJsonOf } from "./layers.ts";
import { checkedLayerName, parameter, passwordOf, targetOf } from "./scope.ts";

const newLayer = z.looseObject({ name: z.string().min(1), source_layer_name: z.string().optional() });

/** Layers are listed, made and deleted beside what they hold. */
export function layerAdministration(router: Router, library: Library): void {
  router.get("/documents/:documentId/layers", (request, response) => {
    response.json({ data: library.store.layerNames(library.document(parameter(request, "documentId")).id) });
  });

  router.post("/documents/:documentId/layers", async (request, response) => {
    const { id } = library.document(parameter(request, "documentId"));
    const body = await bodyOf(request);
    const fields = body.kind === "parts" ? textFields(body.parts) : body.kind === "json" ? body.value : undefined;
    const parsed = newLayer.safeParse(fields);
    if (!parsed.success) throw badRequest("INVALID_BODY", "a layer needs a name");
    const { name, source_layer_name: source = "" } = parsed.data;
    const password = passwordOf(request);
    if (library.store.layer(id, checkedLayerName(name))) throw badRequest("LAYER_EXISTS", `layer '${name}' exists`);
    const instantJson =
      body.kind === "parts" && body.parts.has("instant.json") ? await instantJsonOf(request) : undefined;
    const errors = library.store.transaction(() => {
      library.copyLayer(id, source, name, password);
      return instantJson === undefined
        ? []
        : importErrors(() => library.applyInstantJson(id, name, instantJson, password));
    });
    response.json({ data: { name, errors } });
  });

  router.delete("/documents/:documentId/layers/:layerName", (request, response) => {
    const { documentId, layer } = targetOf(request);
    library.document(documentId);
    if (!library.store.layer(documentId, layer)) throw notFound(`layer '${layer}'`);
    library.store.transaction(() => library.store.removeLayer(documentId, layer));
    response.status(200).end();
  });
}

function textFields(parts: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...parts].map(([name, bytes]) => [name, Buffer.from(bytes).toString("utf8")]));
}

function importErrors(work: () => void): { reason: string }[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ reason: error.message }];
  }
}
