import { useEffect } from "react";
import { standingOf, useSession } from "../sign-in/session";
import { texts } from "../texts/en";
import type { Route } from "./router";

/**
 * Names the tab, and the file that a printed page is saved as, after a view and its case: two patients in two tabs are
 * to be told apart. Not after the case while whoever looked at it is signed out.
 *
 * @param name the number that somebody gave the case, or the end of its id; empty where the view is of none
 */
export function useTitle(view: Route["view"], name: string): void {
  const isIn = standingOf(useSession()) === "in";
  useEffect(() => {
    document.title = titleOf(view, isIn ? name : "");
  }, [view, name, isIn]);
}

/** The case first, as a tab shows only the beginning. */
export function titleOf(view: Route["view"], name = ""): string {
  return [name, texts.shell.titles[view], texts.shell.name].filter(Boolean).join(" · ");
}
