/** What people call a case: their own number, or the end of its id, which differs where the beginnings agree. */
export const nameOf = ({ reference, id }: { reference?: string | null; id: string }) =>
  reference ?? `…${id.slice(-8)}`;
