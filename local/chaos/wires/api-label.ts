import type { HttpRequest } from "./http-wire.ts";
import type { Seen } from "./switchboard.ts";
import { uuid } from "./aws-label.ts";

/** Names a request to the engine's own API by method and route. */
export function recogniseApi({ method, url }: HttpRequest): Seen {
  const route = (url.split("?")[0] ?? "").replace(uuid, "{id}");
  return { wire: "api", label: `api.${method} ${route}`, mutates: method !== "GET", periodic: false };
}
