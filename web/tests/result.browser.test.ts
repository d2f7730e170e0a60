import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CAN_BROWSE, type Failing, launch, openPage, seriousFindings, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { goldenNifti } from "./support/images";
import { type Service, serve } from "./support/service";

const SLOW = 240_000;
const RECORD = { age: 71, gcs: 12, sex: "male", glucose: { value: 140, unit: "mg/dL" } };

let service: Service;
let browser: Browser;
let first: string;
let second: string;

describe.skipIf(!CAN_BROWSE)("the answer", () => {
  beforeAll(async () => {
    service = await serve();
    browser = await launch();
    first = (await makeCase(service.url, "gos", goldenNifti("gos"), RECORD)).id;
    second = (await makeCase(service.url, "gos", goldenNifti("gos"), { age: 50, gcs: 15 })).id;
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it(
    "is read in a clinician's order: limits, number, outcomes, reasons",
    async () => {
      const page = await open(`#/case/${first}`, ".viewer[data-state=open]");
      const headings = await page.locator(".result-answer h2").allInnerTexts();
      expect(headings.slice(0, 5)).toEqual([
        "Before you read the number",
        "Probability",
        "Outcomes",
        "Image and record",
        "What the record contributed",
      ]);
      expect(await page.locator(".caution-use").innerText()).toContain("not for clinical use");
      const { prediction } = await answerOf(first);
      expect(await page.locator(".statement-figure").innerText()).toContain(
        `about ${Math.round(prediction.favourable * 100)}`,
      );
      expect(await page.locator(".features-effect").count()).toBe(4);
      await shoot(page, "result", true);
      expect(await seriousFindings(page)).toEqual([]);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "has both clinical scores once their inputs are entered, and prints them",
    async () => {
      const page = await open(`#/case/${first}`, ".viewer[data-state=open]");
      expect(await page.locator(".scores").innerText()).toContain("Needs: Haematoma volume");
      await page.getByText("By ABC/2", { exact: true }).click();
      await page.getByLabel("A, largest diameter").fill("4");
      await page.getByLabel("B, at right angles").fill("3");
      await page.getByLabel("C, height").fill("5");
      expect(await page.getByLabel("Haematoma volume, mL").inputValue()).toBe("30");
      await page.getByLabel("Blood in the ventricles").selectOption("No");
      await page.getByLabel("Location").selectOption("Deep");
      await page.getByLabel("Cognitive impairment before").selectOption("No");
      const scores = await page.locator(".scores").innerText();
      expect(scores).toContain("2 of 6 points");
      expect(scores).toContain("26 of 100");
      expect(scores).toContain("7 of 11 points");
      expect(scores).toContain("13 of 100");
      await page.getByRole("link", { name: "Report to print" }).click();
      await page.locator(".report[data-state=taken]").waitFor({ timeout: 120_000 });
      expect(await page.locator(".report .scores").innerText()).toContain("2 of 6 points");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "goes on two sheets of paper, black on white, with three planes",
    async () => {
      const page = await open(`#/report/${first}`, ".report[data-state=taken]");
      const widths = await page
        .locator(".report-pictures img")
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
      expect(widths.length).toBe(3);
      expect(Math.min(...widths)).toBeGreaterThan(300);
      const { model } = await answerOf(first);
      expect(await page.locator(".report").innerText()).toContain(model.sha256);
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "report", true);
      const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString("latin1");
      expect(pdf.match(/\/Type \/Page\b(?!s)/g)?.length).toBe(2);
      await page.emulateMedia({ media: "print" });
      const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      expect(ground).toBe("rgb(255, 255, 255)");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "stands beside another, with crosshairs that go together",
    async () => {
      const page = await open(`#/compare/${first}/${second}`, ".compare-side .viewer[data-state=open]");
      await page.locator(".compare-side .viewer[data-state=open]").nth(1).waitFor({ timeout: 120_000 });
      const places = () =>
        page
          .locator(".viewer-reading")
          .evaluateAll((lines) => lines.map((line) => line.querySelector("dd")?.textContent));
      await page.locator(".viewer-host canvas").first().focus();
      for (const key of ["ArrowUp", "ArrowUp", "ArrowRight"]) await page.keyboard.press(key);
      const [left, right] = await places();
      expect(right).toBe(left);
      await page.locator(".viewer-host canvas").nth(1).focus();
      await page.keyboard.press("PageDown");
      const after = await places();
      expect(after[0]).toBe(after[1]);
      expect(after[0]).not.toBe(left);
      await page.getByLabel("Crosshairs go together").uncheck();
      await page.keyboard.press("Tab");
      await page.locator(".viewer-host canvas").first().focus();
      await page.keyboard.press("ArrowUp");
      const parted = await places();
      expect(parted[0]).not.toBe(parted[1]);
      await shoot(page, "compare");
      expect(await seriousFindings(page)).toEqual([]);
      await page.context().close();
    },
    SLOW,
  );

  it("says in words that there is no such prediction", async () => {
    const page = await open("#/case/00000000-0000-7000-8000-000000000000", "[role=alert]", [404]);
    expect(await page.getByRole("alert").innerText()).toContain("There is no such prediction.");
    await page.context().close();
  });
});

async function open(hash: string, awaited: string, failing: Failing[] = []): Promise<Page> {
  const page = await openPage(browser, failing);
  await page.goto(`${service.url}/${hash}`);
  await page.locator(awaited).first().waitFor({ timeout: 120_000 });
  return page;
}

type Given = { prediction: { favourable: number }; model: { sha256: string } };

async function answerOf(id: string): Promise<Given> {
  return (await fetch(`${service.url}/predictions/${id}`)).json() as Promise<Given>;
}
