/** Which fonts, patterns and graphics states of a content something is painted with: only those are copied. */

/** An operator that sets a resource; it is written once something is painted with it. */
export interface Setting {
  isUsed: boolean;
  /** Writes it, at the place where it stood. */
  use: () => void;
}

interface Chain {
  setting: Setting;
  before: Chain | undefined;
}

interface State {
  font: Setting | undefined;
  fill: Setting | undefined;
  stroke: Setting | undefined;
  /** Graphics states add up. */
  graphics: Chain | undefined;
}

export class Settings {
  #state: State = { font: undefined, fill: undefined, stroke: undefined, graphics: undefined };
  readonly #saved: State[] = [];

  /** @returns how many states are saved now */
  save(): number {
    return this.#saved.push({ ...this.#state });
  }

  restore(): void {
    this.#state = this.#saved.pop() ?? this.#state;
  }

  set(what: "font" | "fill" | "stroke", setting: Setting | undefined): void {
    this.#state[what] = setting;
  }

  addGraphics(setting: Setting): void {
    this.#state.graphics = { setting, before: this.#state.graphics };
  }

  get font(): Setting | undefined {
    return this.#state.font;
  }

  /** Something is painted: with the font only where it is text, or a form, which may have some. */
  paint(usesFont: boolean): void {
    const { font, fill, stroke } = this.#state;
    for (const setting of [usesFont ? font : undefined, fill, stroke]) use(setting);
    for (let chain = this.#state.graphics; chain !== undefined && !chain.setting.isUsed; chain = chain.before) {
      use(chain.setting);
    }
  }
}

function use(setting: Setting | undefined): void {
  if (setting === undefined || setting.isUsed) return;
  setting.isUsed = true;
  setting.use();
}
