import { useSyncExternalStore } from "react";

export type Theme = "dark" | "light";

const KEY = "neurofuse-theme";
const listeners = new Set<() => void>();

/** The reading room's dark theme unless this browser chose the light one. */
export function applyStoredTheme(): void {
  document.documentElement.dataset.theme = stored();
}

function stored(): Theme {
  try {
    return localStorage.getItem(KEY) === "light" ? "light" : "dark";
  } catch {
    return "dark"; // storage may be forbidden; the page works without
  }
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // kept for this visit only
  }
  for (const changed of listeners) changed();
}

/** The theme now; charts read their colours anew when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => (document.documentElement.dataset.theme === "light" ? "light" : "dark"),
  );
}
