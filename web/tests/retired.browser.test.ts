import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CAN_BROWSE, launch, openPage, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { goldenNifti } from "./support/images";
import { ROOT, type Service, serve } from "./support/service";

const SLOW_MS = 240_000;

let service: Service;
let browser: Browser;
let folder: string;
let answered: string;

describe.skipIf(!CAN_BROWSE)("an answer whose package has gone", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "neurofuse-retired-"));
    const store = join(folder, "store");
    cpSync(join(ROOT, "model_store/gos/1"), join(store, "gos/1"), { recursive: true });
    const settings = { NEUROFUSE_MODEL_STORE: store, NEUROFUSE_DATA: join(folder, "data") };
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
    if (folder) rmSync(folder, { recursive: true });
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
