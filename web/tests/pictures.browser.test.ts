import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage } from "./support/browser";
import { launch } from "./support/chromium";
import { phantomFolder } from "./support/images";
import { PYTHON, ROOT, type Service, serve } from "./support/service";

/** Pictures in the documentation are of phantoms, whatever images the other tests have. */
const IS_ASKED = Boolean(process.env.NEUROFUSE_PICTURES);
const MAX_BYTES = 300_000;
const SLOW_MS = 240_000;
const RECORD = { age: "68", gcs: "13", systolic_bp: "172", glucose: "7.4", inr: "1.1" };

/** 256 colours are enough for grey, the heatmap and two accents, and take a third of the bytes. */
const OPTIMISE = `
import sys
from pathlib import Path
from PIL import Image
path = Path(sys.argv[1])
with Image.open(path) as picture:
    few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
few.save(path, optimize=True)
print(path.stat().st_size)
`;

let service: Service;
let browser: Browser;

describe.skipIf(!IS_ASKED)("pictures for the documentation, of phantoms only", () => {
  beforeAll(async () => {
    service = await serve();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it(
    "show a new case and its result",
    async () => {
      const page = await openPage(browser, [], { width: 1440, height: 1080 });
      await page.goto(`${service.url}/#/new`);
      await page.locator(".feature").first().waitFor();
      await page.setInputFiles("[data-picker=folder]", phantomFolder());
      await page.locator(".preview img").waitFor();
      await page.locator(".preview img").evaluate((image: HTMLImageElement) => image.decode());
      for (const [name, value] of Object.entries(RECORD)) await page.fill(`#record_${name}`, value);
      await take(page, "new-case");

      await page.locator(".submit-action .primary").click();
      await page.locator(".viewer[data-state=open]").waitFor({ timeout: SLOW_MS });
      await page.locator(".chart canvas").waitFor();
      await take(page, "result");
      await page.context().close();
    },
    SLOW_MS,
  );
});

async function take(page: Page, name: string): Promise<void> {
  const path = join(ROOT, "docs/pictures", `page-${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  const bytes = Number(execFileSync(PYTHON, ["-c", OPTIMISE, path], { cwd: ROOT }).toString());
  expect(bytes).toBeLessThan(MAX_BYTES);
}
