import type { TestProject } from "vitest/node";
import { CAN_BROWSE } from "./chromium";
import { serve } from "./service";

declare module "vitest" {
  interface ProvidedContext {
    shared: { url: string; data: string };
  }
}

/** Starts the service that the files share, as loading the packages costs more than most files do. */
export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!CAN_BROWSE) return undefined;
  // What needs no package goes on meanwhile.
  const { url, data, stop } = await serve({}, undefined, "/livez");
  provide("shared", { url, data });
  return stop;
}
