import type { WorklistQuery } from "../api/worklist";
import { texts } from "../texts/en";

export const PAGE_SIZE = 25;

export type Sort = NonNullable<WorklistQuery["sort"]>;
export type Column = Exclude<Sort, `-${string}`>;

/** What the bar above the table holds; empty means every case. Days are those of this computer's clock. */
export type Filters = {
  q: string;
  task: string;
  label: string;
  feedback: string;
  since: string;
  until: string;
};

export const NO_FILTERS: Filters = { q: "", task: "", label: "", feedback: "", since: "", until: "" };

const COLUMNS: readonly string[] = [
  "created",
  "reference",
  "task",
  "model",
  "label",
  "favourable",
] satisfies Column[];

/** A day that the service takes: RFC 3339 has years of four digits. */
const isDay = (said: string) => /^\d{4}-\d\d-\d\d$/.test(said);

/** What a filter that is a choice or a day may be; the others may be anything. */
const MAKES_SENSE: Partial<Record<string, (said: string) => boolean>> = {
  task: (said) => Object.hasOwn(texts.worklist.tasks, said),
  feedback: (said) => Object.hasOwn(texts.worklist.feedbackFilter, said),
  since: isDay,
  until: isDay,
};

/** Labels of the packages that can be trained here, of five grades, four or two classes; and of a diagnosis. */
const LABELS: Record<string, string[]> = {
  gos: ["gos_1", "gos_2", "gos_2_3", "gos_3", "gos_4", "gos_5", "unfavourable", "favourable"],
  ad: ["cn", "mci", "ad"],
};

/**
 * Answers to choose from, the one that is chosen always among them.
 *
 * @param listed those of the cases that are shown: a package of one's own may have other labels
 */
export function labelsOf({ task, label }: Pick<Filters, "task" | "label">, listed: string[]): string[] {
  const known = task ? (LABELS[task] ?? []) : Object.values(LABELS).flat();
  return [...new Set([...known, ...listed, label])].filter(Boolean);
}

/** Which page of which cases is shown. */
export type Shown = { filters: Filters; sort: Sort; offset: number };

const FIRST: Shown = { filters: NO_FILTERS, sort: "-created", offset: 0 };

/** Read the search of an address; what makes no sense there counts as absent. */
export function shownBy(search: string): Shown {
  const words = new URLSearchParams(search);
  const filters = Object.keys(NO_FILTERS).map((name) => {
    const said = words.get(name) ?? "";
    return [name, (MAKES_SENSE[name]?.(said) ?? true) ? said : ""];
  });
  const sort = words.get("sort") ?? "";
  const offset = Number(words.get("offset"));
  return {
    filters: Object.fromEntries(filters) as Filters,
    sort: COLUMNS.includes(sort.replace(/^-/, "")) ? (sort as Sort) : FIRST.sort,
    offset: Number.isSafeInteger(offset) && offset > 0 ? offset : 0,
  };
}

/** The search of an address; empty for the first page of every case. */
export function searchOf({ filters, sort, offset }: Shown): string {
  const words = Object.entries({ ...filters, sort, offset: String(offset) });
  const usual = Object.entries({ ...NO_FILTERS, sort: FIRST.sort, offset: "0" });
  const said = words.filter(
    ([name, value]) => !usual.some(([other, one]) => other === name && one === value),
  );
  return new URLSearchParams(said).toString();
}

/** The filters as the service takes them; empty ones are not sent. */
export function queryOf({ filters, sort, offset }: Shown): WorklistQuery {
  const { since, until, ...plain } = filters;
  const asked = {
    ...plain,
    q: plain.q.trim(),
    since: startOfDay(since, 0),
    until: startOfDay(until, 1), // the last day is included
  };
  const filled = Object.entries(asked).filter(([, value]) => value !== "");
  return { ...(Object.fromEntries(filled) as WorklistQuery), sort, offset, limit: PAGE_SIZE };
}

function startOfDay(day: string, later: number): string {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return "";
  return new Date(year, month - 1, date + later).toISOString();
}

/** A click on a column: the first sorts upwards, or newest first; the next turns it round. */
export function turned(sort: Sort, column: Column): Sort {
  if (sort === column) return `-${column}`;
  if (sort === `-${column}`) return column;
  return column === "created" || column === "favourable" ? `-${column}` : column;
}

export function ariaSort(sort: Sort, column: Column): "ascending" | "descending" | "none" {
  if (sort === column) return "ascending";
  return sort === `-${column}` ? "descending" : "none";
}
