import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Failing, openPage, seriousFindings, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { CAN_BROWSE, launch } from "./support/chromium";
import { dropFolder } from "./support/drop";
import { ctFolder, goldenNifti } from "./support/images";
import { type Shared, shared } from "./support/shared";

type Size = { width: number; height: number };

const SLOW_MS = 240_000;

let service: Shared;
let browser: Browser;

describe.skipIf(!CAN_BROWSE)("from a new case to the worklist", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
  }, SLOW_MS);
  afterAll(() => browser?.close());

  async function open(hash: string, failing: Failing[] = [], size?: Size): Promise<Page> {
    const page = await openPage(browser, failing, size);
    await page.goto(`${service.url}/${hash}`);
    return page;
  }

  it(
    "takes a folder and a record with units to a result whose what-if follows the sliders",
    async () => {
      const page = await open("#/new");
      await page.locator(".feature").first().waitFor();
      await shoot(page, "new-case-empty");
      expect(await seriousFindings(page)).toEqual([]);

      await dropFolder(page, ctFolder());
      await page.locator(".preview").waitFor();
      await page.locator(".preview img").evaluate((image: HTMLImageElement) => image.decode());
      await expect.poll(() => page.locator(".preview tr[data-chosen=true]").textContent()).toContain("CT");
      await page.fill("#record_inr", "200");
      await page.press("#record_inr", "Tab");
      await page.locator(".feature-error", { hasText: "0.5–20" }).waitFor();
      await shoot(page, "new-case-preview", true);
      expect(await seriousFindings(page)).toEqual([]);

      await page.fill("#record_inr", "1,1");
      await page.fill("#record_age", "71");
      await page.fill("#record_gcs", "9");
      await page.fill("#record_glucose", "126");
      await page.getByLabel("Unit of Glucose").selectOption("mg/dL");
      await page.fill("#reference", "CT-1");
      await page.locator(".submit-action .primary").click();
      await page.waitForURL(/#\/case\//);
      const what = page.locator(".what-if");
      await what.locator(".control").first().waitFor();
      await expect
        .poll(() => what.locator("[data-feature=glucose] output").textContent())
        .toBe("6.994 mmol/L");

      const before = await what.locator(".comparison > div:first-child .figure").textContent();
      await what.locator("[data-feature=age] input[type=range]").fill("40");
      await what.locator("[data-feature=gcs] input[type=range]").fill("15");
      const settled = what.locator(".comparison [data-stale=false] .change");
      await settled.waitFor();
      await expect.poll(() => settled.textContent()).toMatch(/^[+−]\d+\.\d percentage points$/);
      await expect
        .poll(() => what.locator(".comparison > div:first-child .figure").textContent())
        .toBe(before);
      await what.locator(".chart canvas").waitFor();
      await what.screenshot({ path: "shots/what-if.png" });
      await what.locator(".u-over").hover();
      await what.locator(".chart-legend", { hasText: /probability at \d+(\.\d+)? years: \d+ %/ }).waitFor();
      // Under a pointer that rests, the reading stays when the curve moves.
      await what.locator("[data-feature=gcs] input[type=range]").focus();
      const moved = page.waitForResponse(/\/curve/);
      await page.keyboard.press("ArrowLeft");
      await moved;
      await what.locator("figure[data-stale=false]").waitFor();
      await what.locator(".chart-legend", { hasText: /probability at \d+(\.\d+)? years: \d+ %/ }).waitFor();
      await what.locator("h2").hover();
      await what.locator(".chart-legend li", { hasText: /^probability$/ }).waitFor();
      await page.getByLabel("Curve over").selectOption("sex");
      await what.locator("figcaption", { hasText: "Female" }).waitFor();

      const banner = page.getByRole("note");
      await expect.poll(() => banner.textContent()).toMatch(/^Not for clinical use\..*trained on phantoms/);
      await page.getByRole("link", { name: "Compare with another case" }).click();
      await page.getByLabel("Select CT-1 to compare").and(page.locator(":checked")).waitFor();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "gives an upload up when asked to",
    async () => {
      const page = await open("#/new");
      await page.locator(".feature").first().waitFor();
      const devtools = await page.context().newCDPSession(page);
      const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 20_000 };
      await devtools.send("Network.emulateNetworkConditions", slow);
      // Whoever goes by key is not thrown back to the top where the button that they pressed goes.
      const focused = () => page.evaluate(() => document.activeElement?.id);
      await page.getByRole("button", { name: "Files …" }).focus();
      await page.setInputFiles("[data-picker=files]", goldenNifti("gos"));
      await page.getByRole("progressbar", { name: "Upload" }).waitFor();
      await expect.poll(focused).toBe("image-title");
      await page.locator(".submit-action", { hasText: "Wait until the image has been read." }).waitFor();
      await shoot(page, "new-case-sending");
      await tabTo(page, "Cancel");
      await page.keyboard.press("Enter");
      await page.locator(".drop-zone").waitFor();
      await expect.poll(focused).toBe("image-title");
      expect(await page.locator(".problem").count()).toBe(0);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "needs no pointer from the files to the answer",
    async () => {
      const page = await open("#/new");
      await page.locator(".feature").first().waitFor();
      // Asked for well before the key: the browser must know that the dialog is ours by the time it would open one.
      const choosing = page.waitForEvent("filechooser");
      await tabTo(page, "Files …");
      await page.keyboard.press("Enter");
      await (await choosing).setFiles(goldenNifti("gos"));
      await page.locator(".preview").waitFor();
      await tabTo(page, "Age");
      await page.keyboard.type("64");
      await tabTo(page, "Sex");
      await page.keyboard.type("F");
      await tabTo(page, "Your case number (optional)");
      await page.keyboard.type("KEYS-2");
      await tabTo(page, "Predict");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/case\//);
      expect(
        await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName),
      ).toBeTruthy();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "finds, judges, compares and deletes in the worklist",
    async () => {
      const page = await open("#/worklist");
      const rows = page.locator(".cases tbody tr");
      await rows.nth(1).waitFor();
      await shoot(page, "worklist");
      expect(await seriousFindings(page)).toEqual([]);
      // Safari writes today into a day that nobody chose.
      const colour = () => page.getByLabel("From").evaluate((day) => getComputedStyle(day).color);
      expect(await colour()).toBe("rgba(0, 0, 0, 0)");
      await page.getByLabel("From").fill("2026-01-31");
      await expect.poll(colour).not.toBe("rgba(0, 0, 0, 0)");
      await page.getByLabel("Search").focus();
      expect(await colour()).not.toBe("rgba(0, 0, 0, 0)");
      await page.getByRole("button", { name: "Reset filters" }).click();

      await page.getByLabel("Search").fill("ct-1");
      await expect.poll(() => rows.count()).toBe(1);
      const give = page.getByRole("button", { name: "Feedback on CT-1" });
      await give.press("Enter");
      await page.locator("dialog[open]").waitFor();
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await expect.poll(() => give.evaluate((button) => button === document.activeElement)).toBe(true);
      await give.click();
      await page.getByLabel("Disagree", { exact: true }).check();
      await page.getByLabel("Reason").fill("the bleed is older");
      await page.getByLabel("True outcome").selectOption("gos_3");
      await page.waitForTimeout(100);
      await shoot(page, "feedback");
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByRole("button", { name: "Save" }).click();
      await rows.first().getByText("disagrees, true outcome GOS 3").waitFor();
      const [csv] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Feedback as CSV" }).click(),
      ]);
      expect(csv.suggestedFilename()).toBe("feedback.csv");
      expect(readFileSync(await csv.path(), "utf8")).toContain("the bleed is older");

      await page.getByRole("button", { name: "Reset filters" }).click();
      await expect.poll(() => rows.count()).toBe(2);
      const boxes = rows.locator("input[type=checkbox]");
      for (const box of await boxes.all()) await box.check();
      await page.getByLabel("Answer").selectOption("gos_5");
      await rows.first().waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Unselect 2" }).click();
      await page.getByRole("button", { name: "Reset filters" }).click();
      await expect.poll(() => boxes.and(page.locator(":enabled:not(:checked)")).count()).toBe(2);
      for (const box of await boxes.all()) await box.check();
      await expect
        .poll(() => page.getByRole("link", { name: "Compare the two" }).getAttribute("href"))
        .toMatch(/^#\/compare\/[^/]+\/[^/]+$/);

      await page.getByRole("button", { name: "Delete KEYS-2" }).click();
      await page
        .getByRole("dialog")
        .getByText(/^Answered \d{4}-\d\d-\d\d \d\d:\d\d, gos/)
        .waitFor();
      await page.getByRole("button", { name: "Delete for good" }).click();
      await expect.poll(() => rows.count()).toBe(1);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("view");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "shows the same cases again on the way back from one of them, and when it is loaded anew",
    async () => {
      const page = await open("#/worklist");
      const rows = page.locator(".cases tbody tr");
      const look = async () => [
        await page.getByLabel("Search").inputValue(),
        await page.getByLabel("Question").inputValue(),
        await page.locator("th[aria-sort=ascending]").textContent(),
      ];
      await rows.first().waitFor();
      await page.getByLabel("Question").selectOption("gos");
      await page.getByLabel("Search").pressSequentially("t-1");
      await page.keyboard.press("Home");
      await page.keyboard.type("c");
      await page.getByRole("button", { name: "Case", exact: true }).click();
      await expect.poll(look).toEqual(["ct-1", "gos", "Case ↑"]);
      await page.getByRole("link", { name: "CT-1" }).click();
      await page.locator(".result-heading").waitFor();
      await page.goBack();
      await expect.poll(look).toEqual(["ct-1", "gos", "Case ↑"]);
      await expect.poll(() => rows.count()).toBe(1);
      await page.reload();
      await expect.poll(look).toEqual(["ct-1", "gos", "Case ↑"]);
      await page.getByRole("link", { name: "Worklist" }).click();
      await expect.poll(() => page.getByLabel("Search").inputValue()).toBe("");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "turns to the last page there is, where an address leads behind it",
    async () => {
      const page = await open("#/worklist?offset=50");
      await page.locator(".cases tbody tr").first().waitFor();
      await expect.poll(() => page.url()).toMatch(/#\/worklist$/);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says that a slow service is waited for, and shows which cases are still those of the search before",
    async () => {
      const page = await openPage(browser);
      const hold = async (path: string | RegExp) => {
        let release = () => {};
        const held = new Promise<void>((done) => {
          release = done;
        });
        await page.route(path, (route) => held.then(() => route.continue()));
        return release;
      };
      const [person, list] = [await hold("**/auth/me"), await hold(/\/predictions\?(?!.*q=)/)];
      await page.goto(`${service.url}/#/worklist`);
      const loading = page.getByText("Loading …");
      await loading.waitFor();
      expect(await page.getByRole("heading", { name: "Worklist" }).count()).toBe(0);
      person();
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      await loading.waitFor();
      list();
      await page.locator(".cases[aria-busy=false]").waitFor();
      const search = await hold(/\/predictions\?.*q=/);
      await page.getByLabel("Search").fill("ct-1");
      await page.locator(".cases[aria-busy=true]").waitFor();
      await expect
        .poll(() => page.locator(".cases tbody").evaluate((body) => getComputedStyle(body).opacity))
        .toBe("0.4");
      search();
      await page.locator(".cases[aria-busy=false]").waitFor();
      await expect.poll(() => page.locator(".cases tbody tr").count()).toBe(1);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "shows the cases that came meanwhile when asked to, and when somebody comes back to the tab",
    async () => {
      const page = await open("#/worklist");
      const rows = page.locator(".cases tbody tr");
      await rows.first().waitFor();
      const before = await rows.count();
      const add = () => makeCase(service.url, "gos", goldenNifti("gos"), { age: 71 }, null);
      await add();
      await page.getByRole("button", { name: "Refresh" }).click();
      await expect.poll(() => rows.count()).toBe(before + 1);
      await add();
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await expect.poll(() => rows.count()).toBe(before + 2);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says that what-if is over once the case is no longer kept",
    async () => {
      const kept = join(service.data, "cases");
      for (const one of readdirSync(kept)) rmSync(join(kept, one), { recursive: true });
      const page = await open("#/worklist", [410]);
      await page.getByRole("link", { name: "CT-1" }).click();
      const alert = page.locator(".what-if [role=alert]");
      await alert.waitFor();
      await expect.poll(() => alert.textContent()).toContain("Run the case anew");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "holds in the light theme, on a tablet",
    async () => {
      const page = await open("#/worklist", [], { width: 768, height: 1024 });
      await page.getByRole("button", { name: "Light theme" }).click();
      await page.locator(".cases tbody tr").first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "worklist-tablet-light");
      // Telephones; a ward's screen of 1366 pixels, enlarged to 125 %; and where columns come and go.
      for (const width of [320, 390, 640, 768, 1001, 1093, 1241]) {
        await page.setViewportSize({ width, height: 1024 });
        await expect
          .poll(() => page.locator(".table-scroll").evaluate((box) => box.scrollWidth - box.clientWidth))
          .toBe(0);
      }
      await page.setViewportSize({ width: 768, height: 1024 });
      await page.getByRole("link", { name: "New case" }).click();
      await page.locator(".feature").first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "new-case-tablet-light");
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      await page.context().close();
    },
    SLOW_MS,
  );
});

/** Press Tab until the element of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let pressed = 0; pressed < 80; pressed += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return (
        element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? ""
      );
    });
    if (here.trim() === name) return;
  }
  throw new Error(`Tab never reached ${name}`);
}
