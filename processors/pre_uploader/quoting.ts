/** What of an annotation may quote a text that a redaction hides: everything but what Instant JSON prescribes. */
import type { EngineRecord } from "../../contracts/annotations.ts";
import type { RedactedTerms } from "./proof/terms.ts";

/** Larger than the side of any page, in points. */
const largestNumber = 20_000;

const isGeometry = (value: unknown): boolean =>
  value === null ||
  (typeof value === "number" && Math.abs(value) <= largestNumber) ||
  typeof value === "boolean" ||
  (Array.isArray(value) ? value.every(isGeometry) : isShape(value));
/** Lines have points and intensities, callouts have named points. */
const isShape = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(([name, member]) => shapeNames.has(name) && isGeometry(member));
const shapeNames: ReadonlySet<string> = new Set(["points", "intensities", "start", "end", "knee", "x", "y"]);
const matching = (pattern: RegExp) => (value: unknown) => typeof value === "string" && pattern.test(value);
const oneOf = (...values: string[]) => matching(new RegExp(`^(?:${values.join("|")})$`));
const isColour = matching(/^#[\da-f]{3,8}$/i);
const isDate = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/);
const isOf = (isMember: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every((member) => isMember(member));

/** Members of Instant JSON whose values say nothing as long as they are what the format prescribes. */
type Prescribed = Readonly<Record<string, (value: unknown) => boolean>>;
/** Ids are made anew for the destination. */
const ids: Prescribed = { id: () => true, rootId: () => true };
const prescribed: Prescribed = {
  ...ids,
  ...Object.fromEntries(
    [
      ...["v", "pageIndex", "bbox", "rects", "opacity", "rotation", "fontSize", "lineHeightFactor", "isFitting"],
      ...["lines", "points", "startPoint", "endPoint", "callout", "cloudyBorderIntensity", "cloudyBorderInset"],
      ...["strokeWidth", "borderWidth", "lineWidth", "isCommentThreadRoot", "isSignature", "isDrawnNaturally"],
      ...["repeatOverlayText", "pdfObjectId"],
    ].map((name) => [name, isGeometry]),
  ),
  ...Object.fromEntries(
    ["color", "fillColor", "outlineColor", "strokeColor", "fontColor", "backgroundColor", "borderColor"].map((name) => [
      name,
      isColour,
    ]),
  ),
  ...{ createdAt: isDate, updatedAt: isDate },
  type: matching(/^pspdfkit\/(?:markup\/[a-z]+|shape\/[a-z]+|note|text|image|stamp|ink|link|comment|comment-marker)$/),
  icon: oneOf(
    ...["comment", "rightPointer", "rightArrow", "check", "circle", "cross", "insert", "newParagraph", "note"],
    ...["paragraph", "help", "star", "key"],
  ),
  blendMode: matching(
    /^(?:normal|multiply|screen|overlay|darken|lighten|color(?:Dodge|Burn)|(?:hard|soft)Light|difference|exclusion)$/,
  ),
  horizontalAlign: oneOf("left", "center", "right"),
  verticalAlign: oneOf("top", "center", "bottom", "custom"),
  borderStyle: oneOf("solid", "dashed", "beveled", "inset", "underline"),
  fontStyle: isOf(oneOf("bold", "italic")),
  flags: isOf(
    matching(/^(?:no(?:Print|Zoom|Rotate|View)|hidden|invisible|readOnly|locked|toggleNoView|lockedContents)$/),
  ),
  contentType: oneOf("image/png", "image/jpeg", "image/jpg", "application/pdf"),
  imageAttachmentId: matching(/^(?:[\da-f]{64}|\d+)$/),
};
/** The same of members within members. */
const prescribedWithin: Readonly<Record<string, Prescribed>> = {
  text: { format: oneOf("plain", "xhtml") },
  customData: { stamp: oneOf("bates_stamp", "confidentiality_stamp") },
};
/** Members whose values are read, though their names say nothing. */
const named: ReadonlySet<string> = new Set([
  ...["name", "creatorName", "customData", "text", "value", "note", "subject", "description", "title"],
  ...["subtitle", "fileName", "overlayText", "font", "action", "content", "createdBy", "updatedBy", "group"],
]);

/** Whether an annotation or comment says anywhere what is hidden: in its text, its keys, its numbers, its author. */
export function isQuoting({ content, ...record }: EngineRecord, terms: RedactedTerms): boolean {
  return terms.areInValue([membersOf(record, ids), quotableOf(content)]);
}

/** The members of an annotation or comment that may say something. */
function quotableOf(content: Readonly<Record<string, unknown>>): unknown[] {
  return membersOf(content, prescribed);
}

function membersOf(of: Readonly<Record<string, unknown>>, known: Prescribed): unknown[] {
  return Object.entries(of).flatMap(([name, value]): unknown[] => {
    if (value === undefined || (Object.hasOwn(known, name) && known[name]?.(value) === true)) return [];
    const within = known === prescribed && Object.hasOwn(prescribedWithin, name) ? prescribedWithin[name] : undefined;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const read = within && isObject ? membersOf(value as Record<string, unknown>, within) : [value];
    return named.has(name) ? read : [name, ...read];
  });
}
