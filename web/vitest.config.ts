import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  test: {
    projects: [
      { extends: true, test: { name: "logic", include: ["src/**/*.test.ts", "tests/*.logic.test.ts"] } },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["tests/*.browser.test.ts"],
          // One service and one browser at a time: two cores, and the views share the worklist.
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // What the page shows comes when its answer does: a machine may be slow, and no test asks how slow.
          expect: { poll: { timeout: 120_000 } },
          // As Playwright's own template does where nobody watches. `support/browser.ts` names a test that needed it.
          retry: process.env.CI ? 1 : 0,
        },
      },
    ],
  },
});
