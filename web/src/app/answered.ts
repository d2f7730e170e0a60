const listeners = new Set<() => void>();

/** A case was answered whose view somebody had left: its answer is in the worklist. */
export function tellAnswered(): void {
  for (const told of listeners) told();
}

/** Calls back for every such case; gives back how to stop. */
export function onAnswered(told: () => void): () => void {
  listeners.add(told);
  return () => {
    listeners.delete(told);
  };
}
