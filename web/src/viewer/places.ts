import type { Place } from "./nifti";

const SIDES = [
  ["R", "L"],
  ["A", "P"],
  ["S", "I"],
] as const;

/** A place as radiologists write it: `L 29.2, P 9.4, I 13.6 mm` from the scanner's origin. */
export function placeWords(place: Place): string {
  const words = place.map((mm, axis) => {
    const [positive, negative] = SIDES[axis] ?? ["", ""];
    return `${mm < 0 ? negative : positive} ${Math.abs(mm).toFixed(1)}`;
  });
  return `${words.join(", ")} mm`;
}
