import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage, seriousFindings, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { type Shared, shared } from "./support/shared";

const SLOW = 240_000;
const PHONE = { width: 390, height: 844 };
/** A4 upright without its margins, in CSS pixels. */
const SHEET = { width: 688, height: 980 };

let service: Shared;
let browser: Browser;
let first: string;
let second: string;

describe.skipIf(!CAN_BROWSE)("an answer on paper, on a telephone and in another country", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
    first = (await makeCase(service.url, "gos", goldenNifti("gos"), { age: 71, platelets: 200 })).id;
    second = (await makeCase(service.url, "gos", goldenNifti("gos"), { age: 50, sex: "male" })).id;
  }, SLOW);
  afterAll(() => browser?.close());

  const open = async (page: Page, hash: string, awaited: string) => {
    await page.goto(`${service.url}/${hash}`);
    await page.locator(awaited).first().waitFor({ timeout: 120_000 });
  };

  it(
    "can be read on a telephone: the report, the outcomes, the list and two records side by side",
    async () => {
      const page = await openPage(browser, [], PHONE);
      const width = (selector: string) =>
        page
          .locator(selector)
          .first()
          .evaluate((one) => one.clientWidth);
      await open(page, `#/report/${first}`, ".report[data-state=taken]");
      expect(await width(".report-identity dd")).toBeGreaterThan(120);
      expect(await width(".classes .bar-chart")).toBeGreaterThan(120);
      await shoot(page, "report-phone", true);
      await open(page, `#/compare/${first}/${second}`, ".compare-features");
      const records = page.locator(".compare-features .table-scroll");
      expect(await records.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
      await shoot(page, "compare-phone", true);
      await open(page, "#/worklist", ".cases tbody tr");
      // Of a cell, a screen reader tells the name of its column.
      const cells = await page
        .locator(".cases tr")
        .evaluateAll((rows) =>
          rows.map(
            (row) => [...row.children].filter((cell) => getComputedStyle(cell).display !== "none").length,
          ),
        );
      expect(new Set(cells).size).toBe(1);
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "worklist-phone", true);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "fits a screen that is enlarged fourfold: bars, choices, the keys, two records, and an answer with a long name",
    async () => {
      const page = await openPage(browser, [], { width: 320, height: 640 });
      const beyond = (selector: string) =>
        page.locator(selector).evaluate((box) => Math.round(box.getBoundingClientRect().right - innerWidth));
      await open(page, `#/case/${first}`, ".viewer[data-state=open]");
      for (const [part, least] of [
        [".features-effect .bar-chart", 40],
        [".what-if .control select", 120],
      ] as const) {
        const box = await page.locator(part).first().boundingBox();
        expect(box?.width, part).toBeGreaterThan(least);
      }
      await shoot(page, "result-enlarged", true);
      await page.getByRole("button", { name: "Keys and gestures" }).click();
      expect(await beyond("dialog[open]")).toBeLessThanOrEqual(0);
      await shoot(page, "keys-enlarged");
      await page.keyboard.press("Escape");
      await open(page, `#/compare/${first}/${second}`, ".compare-features");
      expect(await beyond(".compare-features table")).toBeLessThanOrEqual(0);
      await open(page, "#/worklist", ".cases tbody tr");
      await page
        .getByLabel("Answer")
        .locator("option")
        .first()
        .evaluate((option) => {
          option.textContent = "An answer of a package of one's own with a long name";
        });
      expect(await beyond(".filter-bar")).toBeLessThanOrEqual(0);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "goes on two sheets with most values of the record known, too",
    async () => {
      const page = await openPage(browser);
      const record = { age: 71, sex: "male", gcs: 12, systolic_bp: 172, diastolic_bp: 90, glucose: 8 };
      const { id } = await makeCase(service.url, "gos", goldenNifti("gos"), {
        ...record,
        inr: 1.2,
        platelets: 210,
        anticoagulant: "yes",
      });
      await open(page, `#/report/${id}`, ".report[data-state=taken]");
      await page.locator(".features-effect").first().waitFor();
      const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString("latin1");
      expect(pdf.match(/\/Type \/Page\b(?!s)/g)?.length).toBe(2);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "keeps on one sheet what belongs together: a case of the list with its cautions, a number with its sentence",
    async () => {
      const page = await openPage(browser, [], SHEET);
      const breaks = (part: string, where: "breakInside" | "breakBefore") =>
        page
          .locator(part)
          .last()
          .evaluate((one, property) => getComputedStyle(one)[property], where);
      await open(page, "#/worklist", ".cases tbody tr");
      await page.emulateMedia({ media: "print" });
      const list = page.locator(".table-scroll");
      expect(await list.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
      expect(await page.locator(".row-actions").first().isVisible()).toBe(false);
      expect(await breaks(".cases tbody tr", "breakInside")).toBe("avoid");
      await open(page, `#/compare/${first}/${second}`, ".compare-features");
      expect(await breaks(".compare-side .panel", "breakInside")).toBe("avoid");
      // WebKit asks on paper, too, how wide the window is.
      await page.setViewportSize({ width: 1440, height: 900 });
      expect(await breaks(".compare-side", "breakBefore")).toBe("page");
      const [upper, lower] = await page
        .locator(".compare-side")
        .evaluateAll((sides) => sides.map((side) => side.getBoundingClientRect()));
      expect(lower?.left).toBe(upper?.left);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "keeps on paper the shape of the head and the end of the curve, whatever the window's",
    async () => {
      const page = await openPage(browser, [], PHONE);
      await open(page, `#/case/${first}`, ".viewer[data-state=open]");
      await page.locator(".chart canvas").waitFor();
      // What is drawn is not drawn anew for a sheet, so its place there is changed as a sheet would.
      await page.emulateMedia({ media: "print" });
      const fit = page.locator(".viewer-host canvas");
      expect(await fit.evaluate((canvas) => getComputedStyle(canvas).objectFit)).toBe("contain");
      // Long after it was drawn, as a browser takes it to paper.
      const isDrawn = await fit.evaluate((canvas: HTMLCanvasElement) => {
        const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        pen?.drawImage(canvas, 0, 0);
        const { data } = pen?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
        return data?.some((value, index) => index % 4 < 3 && value > 0);
      });
      expect(isDrawn).toBe(true);
      const heading = page.locator(".cautions h2"); // not alone at the foot of a sheet
      expect(await heading.evaluate((title) => getComputedStyle(title).breakAfter)).toBe("avoid");
      const beyond = await page.locator(".chart").evaluate((chart) => {
        for (const part of chart.querySelectorAll<HTMLElement>(".uplot, .u-wrap")) part.style.width = "900px";
        return (chart.querySelector("canvas")?.clientWidth ?? 0) - chart.clientWidth;
      });
      expect(beyond).toBeLessThanOrEqual(0);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "has a curve with numbers as the page writes them, in any country, and dark on white on paper",
    async () => {
      const page = await openPage(browser);
      await page.addInitScript(noteWhatIsDrawn);
      await open(page, `#/case/${first}`, ".chart canvas");
      await page.getByLabel("Curve over").selectOption("platelets");
      const drawn = () => page.evaluate(() => document.body.dataset.drawn ?? "");
      await expect.poll(drawn).toContain("|1000");
      expect(await drawn()).not.toMatch(/\|1[.,]000/);
      await page.locator(".curve figcaption", { hasText: "Shaded: beyond what training held" }).waitFor();
      expect(await drawn()).not.toContain("#505b68");
      await page.pdf();
      await expect.poll(drawn).toContain("#505b68");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "has a curve where a package asks for no number, and says that it is waited for",
    async () => {
      const page = await openPage(browser);
      let release = () => {};
      const held = new Promise<void>((done) => {
        release = done;
      });
      await page.route("**/curve", (route) => held.then(() => route.continue()));
      await page.route("**/ehr-schema", async (route) => {
        const response = await route.fetch();
        const schema = (await response.json()) as { properties: Record<string, { "x-unit": string | null }> };
        const choices = Object.entries(schema.properties).filter(([, one]) => one["x-unit"] === null);
        await route.fulfill({ response, json: { ...schema, properties: Object.fromEntries(choices) } });
      });
      await open(page, `#/case/${second}`, ".what-if .control");
      await page.locator(".curve", { hasText: "Asking …" }).waitFor();
      release();
      await page.locator(".curve figcaption", { hasText: "Female" }).waitFor();
      await page.context().close();
    },
    SLOW,
  );
});

/** Run in the page, which then takes its browser for a German one: colours and words of charts stand in the body. */
function noteWhatIsDrawn(): void {
  Object.defineProperty(navigator, "language", { value: "de-DE" });
  const fill = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (words, ...place) {
    document.body.dataset.drawn = `${document.body.dataset.drawn ?? ""}|${words}|${this.fillStyle}`;
    fill.call(this, words, ...place);
  };
}
