import { useEffect } from "react";
import { doubts } from "../app/leaving";
import { texts } from "../texts/en";

/**
 * Asks before a case that is entered, and not answered, is lost: with the tab, with the page loaded anew, by a link to
 * another view, and by the browser's Back. A prediction under way ends with the tab, but goes on behind another view.
 */
export function useUnsent(isEntered: boolean, isUnderWay: boolean): void {
  useEffect(() => {
    if (!isEntered) return;
    const unload = (event: BeforeUnloadEvent) => {
      if (doubts()) event.preventDefault();
    };
    const here = window.location.href;
    let isAnswered = false;
    const mayLeave = () => isUnderWay || window.confirm(texts.newCase.unsent);
    const click = (event: MouseEvent) => {
      if (!leadsElsewhere(event)) return;
      isAnswered = mayLeave();
      if (!isAnswered) event.preventDefault();
    };
    // Back has already changed the address, and the router has not heard of it yet: whoever stays, steps back onto it.
    const back = () => {
      if (window.location.href === here || isAnswered || !doubts() || mayLeave()) return;
      window.history.pushState(null, "", here);
    };
    window.addEventListener("beforeunload", unload);
    window.addEventListener("popstate", back);
    document.addEventListener("click", click, { capture: true });
    return () => {
      window.removeEventListener("beforeunload", unload);
      window.removeEventListener("popstate", back);
      document.removeEventListener("click", click, { capture: true });
    };
  }, [isEntered, isUnderWay]);
}

/** Whether a click takes this tab to another view; one with a key held opens it in a tab of its own. */
function leadsElsewhere({ target, ctrlKey, metaKey, shiftKey }: MouseEvent): boolean {
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>('a[href^="#"]') : null;
  return link !== null && link.hash !== window.location.hash && !(ctrlKey || metaKey || shiftKey);
}
