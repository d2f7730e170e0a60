import { useEffect, useState } from "react";
import { flushSync } from "react-dom";

/** When the sheet is printed, which may be long after it was opened. */
export function usePrintTime(): Date {
  const [time, setTime] = useState(() => new Date());
  useEffect(() => {
    // Before the browser lays out the sheets.
    const now = () => flushSync(() => setTime(new Date()));
    window.addEventListener("beforeprint", now);
    return () => window.removeEventListener("beforeprint", now);
  }, []);
  return time;
}
