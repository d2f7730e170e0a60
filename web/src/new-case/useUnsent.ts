import { useEffect } from "react";
import { doubts } from "../app/leaving";
import { texts } from "../texts/en";

/**
 * Asks before a case that is entered, and not answered, is lost: with the tab, with the page loaded anew, and by a link
 * to another view. A prediction under way ends with the tab, but goes on behind another view.
 */
export function useUnsent(isEntered: boolean, isUnderWay: boolean): void {
  useEffect(() => {
    if (!isEntered) return;
    const unload = (event: BeforeUnloadEvent) => {
      if (doubts()) event.preventDefault();
    };
    const click = (event: MouseEvent) => {
      if (isUnderWay || !leadsElsewhere(event) || window.confirm(texts.newCase.unsent)) return;
      event.preventDefault();
    };
    window.addEventListener("beforeunload", unload);
    document.addEventListener("click", click, { capture: true });
    return () => {
      window.removeEventListener("beforeunload", unload);
      document.removeEventListener("click", click, { capture: true });
    };
  }, [isEntered, isUnderWay]);
}

/** Whether a click takes this tab to another view; one with a key held opens it in a tab of its own. */
function leadsElsewhere({ target, ctrlKey, metaKey, shiftKey }: MouseEvent): boolean {
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>('a[href^="#"]') : null;
  return link !== null && link.hash !== window.location.hash && !(ctrlKey || metaKey || shiftKey);
}
