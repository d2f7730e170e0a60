import { expect, inject, vi } from "vitest";

const LOADED = { timeout: 200_000, interval: 200 };

export type Shared = { url: string; data: string };

/** The service of the files that need no settings of their own, ready, and with no case that another file made. */
export async function shared(): Promise<Shared> {
  const { url, data } = inject("shared");
  await fetch(`${url}/livez`); // one that has ended says so at once
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).ok).toBe(true), LOADED);
  const { items } = (await (await fetch(`${url}/predictions?limit=200`)).json()) as {
    items: { id: string }[];
  };
  for (const { id } of items) await fetch(`${url}/predictions/${id}`, { method: "DELETE" });
  return { url, data };
}
