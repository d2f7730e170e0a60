import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  test: {
    // The service that the files share gives up its work before it ends.
    teardownTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "logic",
          include: ["src/**/*.test.ts", "tests/*.logic.test.ts"],
          // A process for each of the files costs four times what they do, and none of them changes what others see.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["tests/*.browser.test.ts"],
          globalSetup: "tests/support/setup.ts",
          // One file at a time: there are two cores, and the files share a service and its worklist.
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
