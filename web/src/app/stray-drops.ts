import { useEffect } from "react";

/** Keeps the page where it is when a file is dropped beside the place for it: the browser would open the file instead. */
export function useNoStrayDrops(): void {
  useEffect(() => {
    window.addEventListener("dragover", refuse);
    window.addEventListener("drop", refuse);
    return () => {
      window.removeEventListener("dragover", refuse);
      window.removeEventListener("drop", refuse);
    };
  }, []);
}

/** What a place for files has taken already stays taken; text may be dragged into fields. */
function refuse(event: DragEvent): void {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}
