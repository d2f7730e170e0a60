import { useSyncExternalStore } from "react";

export type Theme = "dark" | "light";

const KEY = "neurofuse-theme";
const listeners = new Set<() => void>();

/** The reading room's dark theme unless this browser chose the light one; paper is light whatever was chosen. */
export function applyStoredTheme(): void {
  show(stored());
  let before: Theme = "dark";
  window.addEventListener("beforeprint", () => {
    before = shown();
    show("light");
  });
  window.addEventListener("afterprint", () => show(before));
}

function show(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  for (const changed of listeners) changed();
}

function shown(): Theme {
  return document.documentElement.dataset.theme === "light" ? "light" : "dark";
}

function stored(): Theme {
  try {
    return localStorage.getItem(KEY) === "light" ? "light" : "dark";
  } catch {
    return "dark"; // storage may be forbidden; the page works without
  }
}

export function setTheme(theme: Theme): void {
  show(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // kept for this visit only
  }
}

/** The theme now; charts read their colours anew when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, shown);
}
