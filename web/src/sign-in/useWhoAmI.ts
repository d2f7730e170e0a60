import { useCallback, useEffect, useRef, useState } from "react";
import { type WhoAmI, whoAmI } from "../api/session";
import { lastUse, NOT_AUTHENTICATED, refusals } from "../api/traffic";
import { Latest } from "../app/latest";
import { leaveUnasked } from "../app/leaving";
import { untilOver } from "./session";

/** Tells the other tabs of this browser that somebody signed in or out. */
const CHANNEL = "neurofuse-session";

export type Watched = { who: WhoAmI | null; error: unknown; look: () => void };

/**
 * Who is signed in, watched: asked at the start, whenever the service refused a request, when the page is looked at
 * again, when another tab says so, and when the session should be over. A page that is left open shows no patients.
 */
export function useWhoAmI(): Watched {
  const [who, setWho] = useState<WhoAmI | null>(null);
  const [error, setError] = useState<unknown>(null);
  const first = useRef<string | null>(null);
  const newest = useRef(new Latest<WhoAmI>());
  const look = useCallback(() => {
    newest.current.run(whoAmI).then(
      (now) => {
        if (now === null) return; // a later look knows better
        const subject = now.person?.subject ?? null;
        // Somebody else at this machine: what the one before them had open is not theirs.
        if (first.current !== null && subject !== null && subject !== first.current) {
          return leaveUnasked(() => window.location.reload());
        }
        first.current ??= subject;
        setWho(now);
        setError(null);
      },
      (failed: unknown) => setError(failed),
    );
  }, []);
  useEffect(look, [look]);
  useEvents(look);
  useEnd(who, look);
  return { who, error, look };
}

/** Have the other tabs of this browser look who is signed in now. */
export function tellOtherTabs(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(null);
  channel.close();
}

function useEvents(look: () => void) {
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = look;
    // Whoever has just come back from the provider tells the tab that waits for it.
    channel.postMessage(null);
    // A page that the browser kept whole shows what was there before somebody signed out.
    const restored = (event: PageTransitionEvent) =>
      event.persisted && leaveUnasked(() => window.location.reload());
    const shown = () => document.visibilityState === "visible" && look();
    refusals.addEventListener(NOT_AUTHENTICATED, look);
    document.addEventListener("visibilitychange", shown);
    window.addEventListener("pageshow", restored);
    return () => {
      channel.close();
      refusals.removeEventListener(NOT_AUTHENTICATED, look);
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("pageshow", restored);
    };
  }, [look]);
}

/** Looks once the session should be over; a look that finds it alive makes a new `who`, and with it a new wait. */
function useEnd(who: WhoAmI | null, look: () => void) {
  useEffect(() => {
    if (!who?.person || who.expires == null) return;
    let timer = 0;
    const wait = () => {
      const noted = lastUse();
      // Where something was asked meanwhile, the end is put off.
      const due = () => (lastUse() === noted ? look() : wait());
      timer = window.setTimeout(due, untilOver(who, noted, Date.now()));
    };
    wait();
    return () => window.clearTimeout(timer);
  }, [who, look]);
}
