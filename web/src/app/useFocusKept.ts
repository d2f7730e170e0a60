import { type RefObject, useEffect, useRef } from "react";

/**
 * A button that goes takes the focus with it: what stands beside it gets it instead. Not the button that comes in its place,
 * as an Enter held too long would press that one, too.
 *
 * @param changed changes as the button goes
 */
export function useFocusKept<T extends HTMLElement>(changed: unknown): RefObject<T | null> {
  const beside = useRef<T>(null);
  const hadFocus = document.activeElement !== document.body; // while this is drawn the button still stands
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the moment at which the button goes
  useEffect(() => {
    if (hadFocus && document.activeElement === document.body) beside.current?.focus({ preventScroll: true });
  }, [changed]);
  return beside;
}
