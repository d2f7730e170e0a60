import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPage, shoot } from "./support/browser";
import { CAN_BROWSE, launch } from "./support/chromium";
import { type Shared, shared } from "./support/shared";

const SLOW_MS = 240_000;

let service: Shared;
let browser: Browser;
let page: Page;
const asked: string[] = [];

describe.skipIf(!CAN_BROWSE)("the interface is read and tried without a network", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
    page = await openPage(browser, [415]);
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${service.url}/docs`);
  }, SLOW_MS);
  afterAll(() => browser?.close());
  // A second try finds the page as the first one did.
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await page.reload();
  });

  it(
    "asks the service and nobody else",
    async () => {
      const probe = page.locator(".opblock", { has: page.locator('[data-path="/livez"]') });
      await probe.locator(".opblock-summary-control").click();
      await probe.getByRole("button", { name: "Try it out" }).click();
      await probe.getByRole("button", { name: "Execute" }).click();
      await probe.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
      await shoot(page, "docs");
      expect(asked).toContain(`${service.url}/livez`);
      expect(asked.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(service.url))).toEqual([]);
    },
    SLOW_MS,
  );

  it(
    "sends a case as it stands in the form, and no part that nobody filled in",
    async () => {
      const predict = page.locator("#operations-predictions-predict");
      await predict.locator(".opblock-summary-control").click();
      await predict.getByRole("button", { name: "Try it out" }).click();
      await predict.locator("input[type=file]").setInputFiles(import.meta.filename);
      let sent = "";
      // Of a form with a file, the browser says what it sends only while the request is held.
      await page.route("**/predict", async (route) => {
        sent = route.request().postData() ?? "";
        await route.continue();
      });
      await predict.getByRole("button", { name: "Execute" }).click();
      // The form was understood, and the file was looked at: it is no image.
      await predict
        .locator(".live-responses-table")
        .getByText("/problems/unsupported-file")
        .first()
        .waitFor();
      const parts = [...sent.matchAll(/form-data; name="(\w+)"/g)].map(([, name]) => name);
      expect(parts.sort()).toEqual(["ehr", "explain", "heatmap", "image", "task"]);
    },
    SLOW_MS,
  );
});
