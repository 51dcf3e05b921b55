/** Colour spaces, and the ICC profiles within them without their texts. */
import { PDFArray, PDFHexString, PDFName, PDFNumber, PDFRawStream, PDFRef, PDFString } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import type { Copier, StreamJob } from "./copier.ts";
import { limits } from "./faults.ts";
import type { Place } from "./faults.ts";
import { deviceSpaces, processColorants } from "./grammar.ts";
import { key, textOfName } from "./reading.ts";
import type { Reading } from "./reading.ts";

const deviceComponents: Readonly<Record<string, number>> = { DeviceGray: 1, DeviceRGB: 3, DeviceCMYK: 4 };

/** A copy of a colour space; undefined where it is none. */
export function copyColorSpace(copier: Copier, raw: PDFObject, place: Place): PDFObject | undefined {
  const space = copier.reading.resolve(raw);
  if (space instanceof PDFName) {
    const name = textOfName(space);
    return name === "Pattern" || deviceSpaces.includes(name) ? space : undefined;
  }
  if (!(space instanceof PDFArray) || space.size() === 0) return undefined;
  const known = copier.known(space, "colorSpace");
  if (known !== undefined) return known;
  const copy = copier.nested(place, () => copyArray(copier, space, place));
  if (!(copy instanceof PDFArray) || !(raw instanceof PDFRef)) return copy;
  const reference = copier.target.register(copy);
  copier.remember(space, "colorSpace", reference);
  return reference;
}

function copyArray(copier: Copier, space: PDFArray, place: Place): PDFObject | undefined {
  const { reading, target } = copier;
  const tag = reading.resolve(space.get(0));
  if (!(tag instanceof PDFName)) return undefined;
  const at = (index: number) => (index < space.size() ? space.get(index) : undefined);
  const base = () => (at(1) === undefined ? undefined : copier.value({ object: "colorSpace" }, at(1), place.at(1)));
  switch (textOfName(tag)) {
    case "DeviceGray":
    case "DeviceRGB":
    case "DeviceCMYK":
      return tag;
    case "Pattern":
      return at(1) === undefined ? tag : target.obj([tag, base() ?? key("DeviceGray")]);
    case "CalGray":
      return arrayOf(copier, tag, copier.value({ object: "calGray" }, at(1), place.at(1)));
    case "CalRGB":
      return arrayOf(copier, tag, copier.value({ object: "calRgb" }, at(1), place.at(1)));
    case "Lab":
      return arrayOf(copier, tag, copier.value({ object: "lab" }, at(1), place.at(1)));
    case "ICCBased":
      return copyProfileSpace(copier, tag, at(1), place);
    case "Indexed":
      return arrayOf(copier, tag, base(), ...indexedTail(copier, space, place));
    case "Separation": {
      const colorant = reading.resolve(at(1));
      return arrayOf(
        copier,
        tag,
        colorant instanceof PDFName ? colorantOf(copier, colorant) : undefined,
        copier.value({ object: "colorSpace" }, at(2), place.at(2)),
        copier.value({ object: "function" }, at(3), place.at(3)),
      );
    }
    case "DeviceN": {
      const colorants = reading.list(at(1));
      return arrayOf(
        copier,
        tag,
        colorants?.every((one) => one instanceof PDFName)
          ? target.obj(colorants.map((one) => colorantOf(copier, one)))
          : undefined,
        copier.value({ object: "colorSpace" }, at(2), place.at(2)),
        copier.value({ object: "function" }, at(3), place.at(3)),
      );
    }
    default:
      return undefined;
  }
}

/** Undefined where one of the parts is. */
function arrayOf(copier: Copier, ...parts: (PDFObject | undefined)[]): PDFArray | undefined {
  return parts.every((part) => part !== undefined) ? copier.target.obj(parts) : undefined;
}

/** The same colorant has the same name everywhere: separations that belong together stay together. */
function colorantOf(copier: Copier, colorant: PDFName): PDFName {
  const name = textOfName(colorant);
  if (processColorants.includes(name)) return colorant;
  return key(copier.nameFor(`colorant ${name}`, "Spot"));
}

/** The table is as long as its indices go: what follows would never be read. */
function indexedTail(copier: Copier, space: PDFArray, place: Place): (PDFObject | undefined)[] {
  const { reading } = copier;
  const [base, highest, lookup] = [1, 2, 3].map((index) => (index < space.size() ? space.get(index) : undefined));
  const count = reading.resolve(highest);
  const table = reading.resolve(lookup);
  const components = componentsOf(reading, base);
  if (!(count instanceof PDFNumber) || components === undefined) return [undefined];
  const last = Math.min(255, Math.max(0, Math.trunc(count.asNumber())));
  const length = (last + 1) * components;
  if (table instanceof PDFString || table instanceof PDFHexString) {
    return [PDFNumber.of(last), PDFHexString.fromBytes(table.asBytes().subarray(0, length))];
  }
  if (!(table instanceof PDFRawStream)) return [undefined];
  const bytes = reading.decode(table, place.at(3)).subarray(0, length);
  return [PDFNumber.of(last), PDFHexString.fromBytes(bytes)];
}

const sRgb = { length: 3144, at: 0x190, text: "sRGB IEC61966-2.1" };

function copyProfileSpace(
  copier: Copier,
  tag: PDFName,
  raw: PDFObject | undefined,
  place: Place,
): PDFObject | undefined {
  const { reading } = copier;
  const profile = reading.resolve(raw);
  if (!(profile instanceof PDFRawStream) || raw === undefined) return undefined;
  const components = reading.number(profile.dict, "N");
  const device = Object.entries(deviceComponents).find(([, count]) => count === components)?.[0];
  if (device === undefined) return undefined;
  const bytes = reading.decode(profile, place.at(1));
  const isStandard =
    bytes.length === sRgb.length && bytes.toString("latin1", sRgb.at, sRgb.at + sRgb.text.length) === sRgb.text;
  // The profile that nearly all documents carry says what readers take for granted.
  if (isStandard) return key("DeviceRGB");
  if (withoutTexts(bytes) !== undefined) return arrayOf(copier, tag, copier.object("profile", raw, place.at(1)));
  // Readers fall back on the alternate where a profile is damaged.
  return copier.value({ object: "colorSpace" }, reading.raw(profile, "Alternate"), place.at(1)) ?? key(device);
}

export function profileContent({ copier, source, into, place }: StreamJob): Uint8Array {
  return copier.pack(withoutTexts(copier.reading.decode(source, place)) ?? Buffer.alloc(0), into);
}

const profileTags = new Set([
  ...["rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "wtpt", "bkpt", "chad", "A2B0", "A2B1", "A2B2"],
  ...["B2A0", "B2A1", "B2A2", "gamt"],
]);
const profileTypes = new Set(["XYZ ", "curv", "para", "mft1", "mft2", "mAB ", "mBA ", "sf32"]);
const [headerBytes, entryBytes, mostTags] = [128, 12, 100];
/** Of the header: maker of the profile, date, platform, device and creator, and its digest. */
const headerTexts = [
  [4, 8],
  [24, 36],
  [40, 44],
  [48, 56],
  [80, 128],
] as const;

/** An ICC profile with the tags that colours need; undefined where it is damaged. */
export function withoutTexts(profile: Buffer): Buffer | undefined {
  if (profile.length < headerBytes + 4 || profile.toString("latin1", 36, 40) !== "acsp") return undefined;
  const count = profile.readUInt32BE(headerBytes);
  if (count > mostTags || profile.length < headerBytes + 4 + count * entryBytes) return undefined;
  const kept: { tag: string; from: number; length: number }[] = [];
  for (let index = 0; index < count; index++) {
    const entry = headerBytes + 4 + index * entryBytes;
    const [from, length] = [profile.readUInt32BE(entry + 4), profile.readUInt32BE(entry + 8)];
    const tag = profile.toString("latin1", entry, entry + 4);
    if (!profileTags.has(tag)) continue;
    if (from + length > profile.length || length < 8) return undefined;
    if (profileTypes.has(profile.toString("latin1", from, from + 4))) kept.push({ tag, from, length });
  }
  const header = Buffer.from(profile.subarray(0, headerBytes));
  for (const [from, to] of headerTexts) header.fill(0, from, to);
  const table = Buffer.alloc(4 + kept.length * entryBytes);
  table.writeUInt32BE(kept.length, 0);
  const places = new Map<string, number>();
  const data: Buffer[] = [];
  let end = headerBytes + table.length;
  for (const [index, { tag, from, length }] of kept.entries()) {
    const shared = `${from}+${length}`;
    let at = places.get(shared);
    if (at === undefined) {
      places.set(shared, (at = end));
      const padded = Buffer.alloc(Math.ceil(length / 4) * 4);
      profile.copy(padded, 0, from, from + length);
      data.push(padded);
      end += padded.length;
    }
    table.write(tag, 4 + index * entryBytes, "latin1");
    table.writeUInt32BE(at, 8 + index * entryBytes);
    table.writeUInt32BE(length, 12 + index * entryBytes);
  }
  header.writeUInt32BE(end, 0);
  return Buffer.concat([header, table, ...data]);
}

/** How many numbers make a colour; undefined where it is no colour space. */
export function componentsOf(reading: Reading, raw: PDFObject | undefined, depth = 0): number | undefined {
  const space = reading.resolve(raw);
  if (space instanceof PDFName) return deviceComponents[textOfName(space)];
  if (!(space instanceof PDFArray) || space.size() === 0 || depth > limits.nesting) return undefined;
  const tag = reading.resolve(space.get(0));
  const second = space.size() > 1 ? reading.resolve(space.get(1)) : undefined;
  switch (tag instanceof PDFName ? textOfName(tag) : "") {
    case "CalGray":
    case "Indexed":
    case "Separation":
      return 1;
    case "CalRGB":
    case "Lab":
      return 3;
    case "ICCBased":
      return second instanceof PDFRawStream ? reading.number(second.dict, "N") : undefined;
    case "DeviceN":
      return second instanceof PDFArray ? second.size() : undefined;
    default:
      return tag instanceof PDFName ? deviceComponents[textOfName(tag)] : undefined;
  }
}
