/** The lower of the two in the middle where their number is even; 0 of nothing. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.ceil(values.length / 2) - 1] ?? 0;
}

export function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
