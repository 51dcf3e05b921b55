/** Where something stands in a file: page, kind of the object, keys of the grammar. Names that the file chose never. */
export class Place {
  readonly page: number | undefined;
  readonly kind: string;
  readonly #parent: Place | undefined;
  readonly #key: string;

  constructor(kind: string, page?: number, parent?: Place, key = "") {
    this.kind = kind;
    this.page = page;
    this.#parent = parent;
    this.#key = key;
  }

  /** The place under a key that the grammar names, or of a numbered entry. */
  at(key: string | number, kind = this.kind): Place {
    return new Place(kind, this.page, this, String(key));
  }

  /** The same place, of an object whose kind is known better. */
  of(kind: string): Place {
    return new Place(kind, this.page, this.#parent, this.#key);
  }

  /** The last keys of the path: chains of bookmarks are long. */
  get #path(): string {
    const keys: string[] = [];
    if (this.#key !== "") keys.push(this.#key);
    let above = this.#parent;
    for (; above && keys.length < mostKeys; above = above.#parent) if (above.#key !== "") keys.unshift(above.#key);
    return `${above ? "…" : ""}${keys.map((key) => `/${key}`).join("")}`;
  }

  toString(): string {
    const where = this.page === undefined ? "the document" : `page ${this.page + 1}`;
    const path = this.#path;
    return `${where}, ${this.kind}${path === "" ? "" : ` at ${path}`}`;
  }
}

const mostKeys = 12;
