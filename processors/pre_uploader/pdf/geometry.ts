/** A rectangle on a page as it is shown: points, origin at the top left, rotation and crop applied. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A rectangle of Instant JSON, `[left, top, width, height]`. */
export function boxOf([left, top, width, height]: readonly [number, number, number, number]): Box {
  return { left, top, right: left + width, bottom: top + height };
}

/** Whether two rectangles overlap or share an edge; a thousandth of a point is no gap. */
export function touches(one: Box, other: Box): boolean {
  const slack = 0.001;
  return (
    one.left <= other.right + slack &&
    other.left <= one.right + slack &&
    one.top <= other.bottom + slack &&
    other.top <= one.bottom + slack
  );
}

/** Whether the middle of a rectangle lies within another. */
export function isCentredIn(inner: Box, outer: Box): boolean {
  const [x, y] = [(inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2];
  return x > outer.left && x < outer.right && y > outer.top && y < outer.bottom;
}

/** An affine map from a page's own coordinates to those of the page as it is shown. */
export interface Transform {
  apply: (left: number, bottom: number, right: number, top: number) => Box;
}

/** The map that takes (0, 0), (1000, 0) and (0, 1000) to the given points. */
export function transformOf(origin: Point, alongX: Point, alongY: Point): Transform {
  const step = (from: number, to: number) => (to - from) / 1000;
  const [a, b] = [step(origin.x, alongX.x), step(origin.y, alongX.y)];
  const [c, d] = [step(origin.x, alongY.x), step(origin.y, alongY.y)];
  const map = (x: number, y: number): Point => ({ x: origin.x + a * x + c * y, y: origin.y + b * x + d * y });
  return {
    apply: (left, bottom, right, top) => {
      const [one, other] = [map(left, bottom), map(right, top)];
      return {
        left: Math.min(one.x, other.x),
        top: Math.min(one.y, other.y),
        right: Math.max(one.x, other.x),
        bottom: Math.max(one.y, other.y),
      };
    },
  };
}

export interface Point {
  x: number;
  y: number;
}

/** What two rectangles share; undefined where they only touch. */
export function intersection(one: Box, other: Box): Box | undefined {
  const [left, right] = [Math.max(one.left, other.left), Math.min(one.right, other.right)];
  const [top, bottom] = [Math.max(one.top, other.top), Math.min(one.bottom, other.bottom)];
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

/** A rectangle that is larger on each side; smaller by a negative number, but never turned inside out. */
export function grown({ left, top, right, bottom }: Box, by: number): Box {
  const [x, y] = [Math.max(by, (left - right) / 2), Math.max(by, (top - bottom) / 2)];
  return { left: left - x, top: top - y, right: right + x, bottom: bottom + y };
}

/** Whether a line goes through the inside of a rectangle (Liang and Barsky, 1984). */
export function crosses(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  { left, top, right, bottom }: Box,
): boolean {
  const [x, y] = [toX - fromX, toY - fromY];
  const limits = [
    [-x, fromX - left],
    [x, right - fromX],
    [-y, fromY - top],
    [y, bottom - fromY],
  ] as const;
  let [enters, leaves] = [0, 1];
  for (const [towards, distance] of limits) {
    if (towards === 0) {
      if (distance <= 0) return false;
    } else if (towards < 0) enters = Math.max(enters, distance / towards);
    else leaves = Math.min(leaves, distance / towards);
  }
  return enters < leaves || (x === 0 && y === 0 && enters <= leaves);
}
