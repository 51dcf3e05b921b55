/** The copy source header: bucket and key with every segment URL-encoded, so that `?` or `%` stay part of the key. */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}
