import { useSyncExternalStore } from "react";

/** Where the page is; every address is a hash, so that the service needs no routes of its own for it. */
export type Route =
  | { view: "new" }
  | { view: "case"; id: string }
  /** With a case that is already chosen for a comparison; and the search that is shown, in its own words. */
  | { view: "worklist"; selected?: string; search?: string }
  | { view: "compare"; left: string; right: string }
  | { view: "report"; id: string }
  /** Where the service sends whoever it could not sign in, with the code of the problem. */
  | { view: "sign-in"; problem: string }
  | { view: "unknown" };

/** Read a hash such as `#/case/0193c2f4`. */
export function parseHash(hash: string): Route {
  const [path, search] = [placeOf(hash), hash.slice(placeOf(hash).length + 1)];
  const [view, first, second] = decoded(path.replace(/^#\/?/, "").split("/"));
  switch (view) {
    case "":
    case undefined:
    case "new":
      return { view: "new" };
    case "worklist":
      return { view: "worklist", ...(first && { selected: first }), ...(search && { search }) };
    case "case":
    case "report":
      return first ? { view, id: first } : { view: "unknown" };
    case "sign-in":
      return { view: "sign-in", problem: first ?? "" };
    case "compare":
      return first && second ? { view: "compare", left: first, right: second } : { view: "unknown" };
    default:
      return { view: "unknown" };
  }
}

/** A hash without the search in it: the same place, whatever is looked for there. */
export function placeOf(hash: string): string {
  return hash.split("?", 1)[0] ?? "";
}

/** Steps of an address; one that was cut off or typed wrong leads nowhere. */
function decoded(steps: string[]): string[] {
  try {
    return steps.map(decodeURIComponent);
  } catch {
    return ["unknown"];
  }
}

/** The hash of a route, for `href`. */
export function hrefOf(route: Exclude<Route, { view: "unknown" }>): string {
  switch (route.view) {
    case "case":
    case "report":
      return `#/${route.view}/${encodeURIComponent(route.id)}`;
    case "sign-in":
      return `#/sign-in/${encodeURIComponent(route.problem)}`;
    case "compare":
      return `#/compare/${encodeURIComponent(route.left)}/${encodeURIComponent(route.right)}`;
    case "worklist":
      return [
        "#/worklist",
        route.selected ? `/${encodeURIComponent(route.selected)}` : "",
        route.search ? `?${route.search}` : "",
      ].join("");
    default:
      return `#/${route.view}`;
  }
}

/** Another search at the same place: going back still leads to the place before. */
export function search(route: Extract<Route, { view: "worklist" }>): void {
  window.history.replaceState(null, "", hrefOf(route));
  for (const changed of listeners) changed();
}

export function goTo(route: Exclude<Route, { view: "unknown" }>): void {
  window.location.hash = hrefOf(route);
}

/** Told of searches, of which the browser tells nobody. */
const listeners = new Set<() => void>();

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  window.addEventListener("hashchange", changed);
  return () => {
    listeners.delete(changed);
    window.removeEventListener("hashchange", changed);
  };
}

/** The current hash; parse it with `parseHash`. */
export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}
