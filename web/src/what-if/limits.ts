import type { Curve } from "../api/types";

/** Where the numbers end that the network tells apart; null where they go on to the end of the curve. */
export type Limits = { low: number | null; high: number | null };

export function isShaded({ low, high }: Limits): boolean {
  return low !== null || high !== null;
}

export function limitsOf({ values, taken_as }: Pick<Curve, "values" | "taken_as">): Limits {
  const [first, last] = [taken_as[0], taken_as.at(-1)];
  const [low, high] = [values[0], values.at(-1)];
  return {
    low: typeof first === "number" && Number(low) < first ? first : null,
    high: typeof last === "number" && Number(high) > last ? last : null,
  };
}
