export type Tags = Record<string, string>;

interface Tag {
  Key: string | undefined;
  Value: string | undefined;
}

/** Tags as most services want them. */
export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** AWS's own tags, which nobody else can set or remove, are left out. */
export function tagMap(tags: readonly Partial<Tag>[] | undefined): Tags {
  const own = (tags ?? []).filter(({ Key }) => Key?.startsWith("aws:") !== true);
  return Object.fromEntries(own.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}
