import type { Request, Router } from "express";
import { z } from "zod";
import { canBeRoot } from "../content.ts";
import type { Library } from "../library.ts";
import { badRequest, unprocessable } from "../refusal.ts";
import type { AnnotationRecord, CommentRecord } from "../store.ts";
import { bodyOf } from "./body.ts";
import { knownAnnotation, listForm } from "./annotations.ts";
import { layerToRead, layerToWrite, parameter, targetOf } from "./scope.ts";

const comment = z.looseObject({
  id: z.string().min(1).optional(),
  user_id: z.string().nullish(),
  group: z.string().nullish(),
  content: z.looseObject({
    text: z.union([z.string(), z.looseObject({ format: z.enum(["plain", "xhtml"]), value: z.string() })]),
    creatorName: z.string().nullish(),
    createdAt: z.string().optional(),
    updatedAt: z.string().optional(),
    customData: z.record(z.string(), z.unknown()).nullish(),
  }),
});
type Comment = z.infer<typeof comment>;

/** Threads of comments below their root annotations. */
export function commentRoutes(router: Router, library: Library): void {
  router.get("/annotations/:annotationId/comments", (request, response) => {
    if (listForm(request) !== "json") throw badRequest("NOT_ACCEPTABLE", "comments are told as application/json only");
    const layer = layerToRead(library, targetOf(request));
    const root = commentable(knownAnnotation(library, layer, parameter(request, "annotationId")));
    const comments = library.store.comments(layer, root.id).map(({ id, group, createdBy, updatedBy, content }) => ({
      id,
      group,
      createdBy,
      updatedBy,
      content,
    }));
    response.json({ data: { comments } });
  });

  router.post("/annotations/:annotationId/comments", async (request, response) => {
    const comments = await commentsOf(request);
    const created = library.store.transaction(() => {
      const layer = layerToWrite(library, targetOf(request));
      const root = commentable(knownAnnotation(library, layer, parameter(request, "annotationId")));
      // A thread is written to the PDF with its root, which is therefore no longer as it came.
      library.store.put(layer, { ...root, content: { ...root.content, isCommentThreadRoot: true }, pristine: false });
      return comments.map((given) => {
        const record = commentRecord(library, root, given);
        library.store.put(layer, record);
        return { id: record.id };
      });
    });
    response.json({ data: { comments: created } });
  });
}

function commentable(root: AnnotationRecord): AnnotationRecord {
  const { type } = root.content;
  if (canBeRoot(type)) return root;
  throw badRequest(
    "NOT_COMMENTABLE",
    `annotation '${root.id}' is a ${type}: only text markup, notes and comment markers have threads`,
  );
}

function commentRecord(
  library: Library,
  { id: rootId, content: root }: AnnotationRecord,
  given: Comment,
): CommentRecord {
  const { text, ...content } = given.content;
  const now = library.ids.clock().toISOString();
  return {
    id: given.id ?? library.newId(),
    content: {
      createdAt: now,
      updatedAt: now,
      ...content,
      type: "pspdfkit/comment",
      v: 2,
      rootId,
      pageIndex: root.pageIndex,
      text: typeof text === "string" ? { format: "plain", value: text } : text,
    },
    createdBy: given.user_id ?? null,
    updatedBy: given.user_id ?? null,
    group: given.group ?? null,
  };
}

async function commentsOf(request: Request): Promise<Comment[]> {
  const body = await bodyOf(request);
  const { comments } = (body.kind === "json" ? (body.value ?? {}) : {}) as { comments?: unknown };
  if (!Array.isArray(comments))
    throw unprocessable("INVALID_COMMENTS", "comments are missing", { comments: ["is required"] });
  const parsed = comments.map((given) => comment.safeParse(given));
  const problems = parsed.map(({ success }) => (success ? {} : { content: { text: ["is required"] } }));
  if (parsed.some(({ success }) => !success)) {
    throw unprocessable("INVALID_COMMENTS", "a comment lacks its text", { comments: problems });
  }
  return parsed.flatMap(({ data }) => data ?? []);
}
