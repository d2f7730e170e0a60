const two = (value: number) => String(value).padStart(2, "0");

/** A moment by this computer's clock, in 24 hours and the same in every country: `2026-11-25 01:58` (ISO 8601, without the T). */
export function momentWords(moment: string | Date): string {
  const at = new Date(moment);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The same with its offset from UTC, for paper, which is read elsewhere and later: `2026-11-25 01:58 UTC+01:00`. */
export function momentOnPaper(moment: string | Date): string {
  const at = new Date(moment);
  const east = -at.getTimezoneOffset();
  const offset = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60].map(two).join(":");
  return `${momentWords(at)} UTC${east < 0 ? "-" : "+"}${offset}`;
}
