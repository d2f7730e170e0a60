import type { WorklistItem } from "../api/types";

/** What people call a case: their own number, or the end of its id, which differs where the beginnings agree. */
export const nameOf = ({ reference, id }: Pick<WorklistItem, "reference" | "id">) =>
  reference ?? `…${id.slice(-8)}`;
