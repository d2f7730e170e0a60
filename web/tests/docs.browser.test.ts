import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CAN_BROWSE, launch, openPage, shoot } from "./support/browser";
import { type Service, serve } from "./support/service";

const SLOW_MS = 240_000;

const noPackages = mkdtempSync(join(tmpdir(), "neurofuse-no-packages-"));

let service: Service;
let browser: Browser;

describe.skipIf(!CAN_BROWSE)("the interface is read and tried without a network", () => {
  beforeAll(async () => {
    service = await serve({ NEUROFUSE_MODEL_STORE: noPackages }, undefined, "/livez");
    browser = await launch();
  }, SLOW_MS);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    rmSync(noPackages, { recursive: true });
  });

  it(
    "asks the service and nobody else",
    async () => {
      const page = await openPage(browser);
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(`${service.url}/docs`);
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
      const page = await openPage(browser, [404]);
      await page.goto(`${service.url}/docs`);
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
      // The form was understood: this service has no packages.
      await predict.locator(".live-responses-table").getByText("/problems/unknown-model").first().waitFor();
      const parts = [...sent.matchAll(/form-data; name="(\w+)"/g)].map(([, name]) => name);
      expect(parts.sort()).toEqual(["ehr", "explain", "heatmap", "image", "task"]);
    },
    SLOW_MS,
  );
});
