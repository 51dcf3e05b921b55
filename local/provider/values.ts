import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** What stands for a value that is not known yet, in previews. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The key by which Pulumi marks objects that are more than plain data, and the marks that we meet. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const assetSignature = "c44067f5952c0a294b673a41bacd8c17";
const archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7";

export type Bag = Record<string, unknown>;

export function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isAsset(value: unknown): value is Bag {
  return isBag(value) && value[signatureKey] === assetSignature;
}

export function isArchive(value: unknown): value is Bag {
  return isBag(value) && value[signatureKey] === archiveSignature;
}

function isSecret(value: unknown): value is Bag {
  return isBag(value) && value[signatureKey] === secretSignature;
}

export function secret(value: unknown): unknown {
  return isSecret(value) ? value : { [signatureKey]: secretSignature, value };
}

/** Whether any part of the value is marked secret. */
export function holdsSecret(value: unknown): boolean {
  if (isSecret(value)) return true;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isBag(value) && Object.values(value).some(holdsSecret);
}

/** Whether any part of the value is not known yet. */
export function holdsUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return isBag(value) && Object.values(value).some(holdsUnknown);
}

/** The value without secret marks and without empty members. */
export function plain(value: unknown): unknown {
  if (isSecret(value)) return plain(value["value"]);
  if (Array.isArray(value)) return value.map(plain);
  if (!isBag(value)) return value;
  return plainBag(value);
}

export function plainBag(bag: Bag): Bag {
  const members = Object.entries(bag).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

/**
 * Marks in `bag` what is secret in `model`. Objects are followed member by member, so that one secret variable does
 * not hide its neighbours; a list that holds a secret is secret as a whole, because its order may differ.
 */
export function markSecrets(bag: Bag, model: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).map(([key, value]) => [key, markedLike(value, model[key])]));
}

function markedLike(value: unknown, model: unknown): unknown {
  if (value === undefined || !holdsSecret(model)) return value;
  return isBag(value) && isBag(model) && !isSecret(model) ? markSecrets(value, model) : secret(value);
}

/** Members that are undefined cannot travel. */
export function withoutUndefined(bag: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).filter(([, value]) => value !== undefined));
}

export function toStruct(bag: Bag): struct.Struct {
  return struct.Struct.fromJavaScript(
    JSON.parse(JSON.stringify(bag)) as Parameters<typeof struct.Struct.fromJavaScript>[0],
  );
}

export function fromStruct(message: struct.Struct | undefined): Bag {
  return message === undefined ? {} : message.toJavaScript();
}
