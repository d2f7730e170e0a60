import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { type Service, serve, storeOfOne } from "./support/service";

const SLOW_MS = 240_000;

let service: Service;
let browser: Browser;
let store: string;
let data: string;
let answered: string;

describe.skipIf(!CAN_BROWSE)("an answer whose package has gone", () => {
  beforeAll(async () => {
    store = storeOfOne();
    data = mkdtempSync(join(tmpdir(), "neurofuse-retired-"));
    const settings = { NEUROFUSE_MODEL_STORE: store, NEUROFUSE_DATA: data };
    const before = await serve(settings);
    answered = (await makeCase(before.url, "gos", goldenNifti("gos"), { age: 71 }, "image", "OLD-1")).id;
    await before.stop();
    rmSync(join(store, "gos"), { recursive: true });
    service = await serve(settings, undefined, "/livez");
    browser = await launch();
  }, SLOW_MS);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    for (const folder of [store, data]) if (folder) rmSync(folder, { recursive: true });
  });

  it(
    "takes the true outcome, and says that it did",
    async () => {
      const page = await openPage(browser, [404]);
      await page.goto(`${service.url}/#/case/${answered}`);
      await page.getByRole("button", { name: "Feedback" }).click();
      await page.getByLabel("True outcome").selectOption("GOS 3, severe disability");
      await page.getByRole("button", { name: "Save" }).click();
      await page.locator(".result-heading [role=status]", { hasText: "Feedback saved." }).waitFor();
      await shoot(page, "result-retired");
      await page.getByRole("link", { name: "Worklist" }).click();
      const row = page.locator(".cases tbody tr");
      await row.getByText("true outcome GOS 3").waitFor();
      await row.getByRole("button", { name: "Feedback on OLD-1" }).click();
      await expect.poll(() => page.getByLabel("True outcome").inputValue()).toBe("gos_3");
      await page.context().close();
    },
    SLOW_MS,
  );
});
