import { answer, client } from "./client";
import type { components } from "./schema";

export type WhoAmI = components["schemas"]["WhoAmI"];
export type Person = components["schemas"]["Person"];

/** Who is signed in, and how people sign in here; puts off the end of no session. */
export function whoAmI(signal?: AbortSignal): Promise<WhoAmI> {
  return answer(client.GET("/auth/me", { signal: signal ?? null }));
}

/** End the session; where the browser goes to sign out of the organisation's provider too, if it can. */
export async function signOut(): Promise<string | null> {
  return (await answer(client.POST("/auth/sign-out"))).next;
}
