import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Failing, openPage, seriousFindings, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { type Shared, shared } from "./support/shared";

const SLOW = 240_000;
const RECORD = { age: 71, gcs: 12, sex: "male", glucose: { value: 140, unit: "mg/dL" } };

let service: Shared;
let browser: Browser;
let first: string;
let second: string;
let bare: string;

describe.skipIf(!CAN_BROWSE)("the answer", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
    first = (await makeCase(service.url, "gos", goldenNifti("gos"), RECORD, "image", "CT-1")).id;
    second = (await makeCase(service.url, "gos", goldenNifti("gos"), { age: 50, gcs: 15 })).id;
    // A number may hold the id of another case.
    bare = (await makeCase(service.url, "gos", goldenNifti("gos"), {}, "image", `again ${first}`)).id;
  });
  afterAll(() => browser?.close());

  it(
    "is read in a clinician's order: limits, number, outcomes, reasons",
    async () => {
      const page = await open(`#/case/${first}`, ".viewer[data-state=open]");
      const headings = async () => (await page.locator(".result-answer h2").allInnerTexts()).slice(0, 5);
      await expect
        .poll(headings)
        .toEqual([
          "Before you read the number",
          "Probability",
          "Outcomes",
          "Image and record",
          "What the record contributed",
        ]);
      await expect.poll(() => page.locator(".caution-use").innerText()).toContain("not for clinical use");
      const { prediction } = await answerOf(first);
      await expect
        .poll(() => page.locator(".statement-figure").innerText())
        .toContain(`about ${Math.round(prediction.favourable * 100)}`);
      await expect.poll(() => page.locator(".features-effect").count()).toBe(4);
      await expect.poll(() => page.locator(".viewer-overlay").innerText()).toContain("0 is average or less");
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
      await expect.poll(() => page.locator(".scores").innerText()).toContain("Needs: Haematoma volume");
      await page.getByText("By ABC/2", { exact: true }).click();
      await page.getByLabel("A, largest diameter").fill("4");
      await page.getByLabel("B, at right angles").fill("3");
      await page.getByLabel("C, height").fill("5");
      await expect.poll(() => page.getByLabel("Haematoma volume, mL").inputValue()).toBe("30");
      await page.getByLabel("Blood in the ventricles").selectOption("No");
      await page.getByLabel("Location").selectOption("Deep");
      await page.getByLabel("Cognitive impairment before").selectOption("No");
      const scores = () => page.locator(".scores").innerText();
      for (const shown of ["2 of 6 points", "26 of 100", "7 of 11 points", "13 of 100"]) {
        await expect.poll(scores).toContain(shown);
      }
      await page.getByRole("link", { name: "Report to print" }).click();
      await page.locator(".report[data-state=taken]").waitFor({ timeout: 120_000 });
      await expect.poll(() => page.locator(".report .scores").innerText()).toContain("2 of 6 points");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "reads a decimal comma in the scores, and takes no number that cannot be",
    async () => {
      const page = await open(`#/case/${first}`, ".viewer[data-state=open]");
      await page.getByText("By ABC/2", { exact: true }).click();
      for (const [name, typed] of [
        ["A, largest diameter", "4,5"],
        ["B, at right angles", "3.5"],
        ["C, height", "4"],
      ] as const) {
        await page.getByLabel(name).focus();
        await page.keyboard.type(typed);
      }
      const volume = page.getByLabel("Haematoma volume, mL");
      await expect.poll(() => volume.inputValue()).toBe("31.5");
      await page.getByLabel("C, height").fill("");
      await expect.poll(() => volume.inputValue()).toBe("");
      await volume.fill("31500");
      await page.getByText("Enter a number from 0 to 500.").waitFor();
      await expect.poll(() => page.locator(".scores").innerText()).toContain("Needs: Haematoma volume");
      expect(await seriousFindings(page)).toEqual([]);
      await page.context().close();

      const other = await open(`#/case/${bare}`, ".viewer[data-state=open]");
      await other.getByLabel("GCS", { exact: true }).fill("51");
      await other.getByText("Enter a whole number from 3 to 15.").waitFor();
      await expect.poll(() => other.locator(".scores").innerText()).toContain("Needs: Age, GCS");
      await other.context().close();
    },
    SLOW,
  );

  it(
    "bears the number that the case was given: on the page, on every sheet, beside another",
    async () => {
      const page = await open(`#/case/${first}`, ".result-heading");
      await expect.poll(() => page.locator(".result-heading").innerText()).toContain("CT-1");
      await expect.poll(() => page.title()).toBe("CT-1 · Result · NeuroFuse");
      await page.goto(`${service.url}/#/report/${first}`);
      const identity = page.locator(".report-identity");
      await identity.waitFor();
      await expect.poll(() => identity.innerText()).toMatch(/Case number\s+CT-1/);
      const sheets = () =>
        page.evaluate(() =>
          document.adoptedStyleSheets
            .flatMap(({ cssRules }) => [...cssRules].map((rule) => rule.cssText))
            .join(),
        );
      await expect.poll(sheets).toContain(`"Not for clinical use. Case CT-1, prediction ${first}"`);
      await expect.poll(() => page.title()).toBe("CT-1 · Report · NeuroFuse");
      await page.goto(`${service.url}/#/compare/${first}/${second}`);
      const side = (index: number) => () => page.locator(".compare-side").nth(index).innerText();
      await expect.poll(side(0)).toContain("CT-1");
      await expect.poll(side(1)).toContain(`…${second.slice(-8)}`);
      await expect.poll(sheets).not.toContain(first);
      const both = `"Not for clinical use. First case CT-1, second case …${second.slice(-8)}"`;
      await expect.poll(sheets).toContain(both);
      await expect.poll(() => page.title()).toBe(`CT-1, …${second.slice(-8)} · Compare · NeuroFuse`);
      await page.getByRole("link", { name: "Worklist" }).click();
      await expect.poll(() => page.title()).toBe("Worklist · NeuroFuse");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "asks once more for what did not arrive: the image, the other record, the curve",
    async () => {
      const page = await openPage(browser, ["net::ERR_CONNECTION_REFUSED"]);
      const down = (path: string) => page.route(path, (route) => route.abort("connectionrefused"));
      const retry = { name: "Try again" };
      await down("**/image.nii.gz");
      await page.goto(`${service.url}/#/case/${first}`);
      const stored = page.locator(".viewer-stored");
      await stored.getByText("The service cannot be reached.").waitFor();
      await page.unroute("**/image.nii.gz");
      await stored.getByRole("button", retry).click();
      await page.locator(".viewer[data-state=open]").waitFor({ timeout: 120_000 });

      const what = page.locator(".what-if");
      await what.locator(".chart canvas").waitFor();
      for (const path of ["**/what-if", "**/curve"]) await down(path);
      await what.locator("[data-feature=age] input[type=range]").fill("40");
      await what.locator(".problem").nth(1).waitFor();
      expect(await what.locator(".chart").count()).toBe(0);
      for (const path of ["**/what-if", "**/curve"]) await page.unroute(path);
      await what.getByRole("button", retry).first().press("Enter");
      await what.locator(".comparison [data-stale=false] .change").waitFor();
      await expect.poll(() => what.evaluate((panel) => panel === document.activeElement)).toBe(true);
      await what.getByRole("button", retry).click();
      await what.locator(".chart canvas").waitFor();
      await page.context().close();
    },
    SLOW,
  );

  it(
    "shows no number of one record as that of another, and its figures below the banner's last line",
    async () => {
      const page = await open(`#/case/${first}`, ".what-if .chart canvas");
      const what = page.locator(".what-if");
      await what.locator("[data-feature=age] input[type=range]").fill("40");
      await what.locator(".comparison [data-stale=false] .change").waitFor();
      await what.locator(".curve figure[data-stale=false]").waitFor();
      let release = () => {};
      const held = new Promise<void>((done) => {
        release = done;
      });
      for (const path of ["**/what-if", "**/curve"]) {
        await page.route(path, (route) => held.then(() => route.continue()));
      }
      await what.locator("[data-feature=age] input[type=range]").fill("90");
      await what.locator(".comparison [data-stale=true]", { hasText: "Asking …" }).waitFor();
      expect(await what.locator(".comparison").innerText()).not.toContain("With these values");
      await expect.poll(() => what.locator(".curve figure").getAttribute("data-stale")).toBe("true");
      release();
      await what.locator(".comparison [data-stale=false]", { hasText: "With these values" }).waitFor();
      await what.locator(".curve figure[data-stale=false]").waitFor();

      await page.setViewportSize({ width: 700, height: 700 }); // the banner takes two lines
      await what
        .locator("[data-feature=onset_to_ct_hours]")
        .evaluate((control) => control.scrollIntoView({ block: "center" }));
      const edge = (selector: string, side: "top" | "bottom") =>
        page.locator(selector).evaluate((one, name) => Math.round(one.getBoundingClientRect()[name]), side);
      await expect.poll(() => edge(".banner", "bottom")).toBeGreaterThan(40);
      await expect
        .poll(async () => (await edge(".comparison", "top")) - (await edge(".banner", "bottom")))
        .toBe(0);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "is printed dark on white out of the dark theme, which stays on the screen",
    async () => {
      const page = await open(`#/case/${first}`, ".classes");
      const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
      expect(await theme()).toBe("dark");
      await page.evaluate(() => {
        window.addEventListener("beforeprint", () => {
          document.body.dataset.ink = getComputedStyle(document.body).color;
        });
      });
      await page.pdf();
      await expect.poll(() => page.locator("body").getAttribute("data-ink")).toBe("rgb(26, 32, 39)");
      expect(await theme()).toBe("dark");
      await page.context().close();
    },
    SLOW,
  );

  it(
    "shows in a contrast theme of the system how long a bar is, what is pressed and what was changed",
    async () => {
      const page = await open(`#/case/${first}`, ".viewer[data-state=open]");
      await page.emulateMedia({ forcedColors: "active" });
      await page.locator(".what-if .control").first().waitFor();
      const colour = (selector: string, property: string) =>
        page
          .locator(selector)
          .first()
          .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
      const ground = await colour("body", "background-color");
      expect(await colour(".bar-chart-ground", "fill")).toBe(ground);
      expect(await colour(".bar-chart-strong", "fill")).not.toBe(ground);
      const pressed = await colour(".viewer [aria-pressed=true]", "background-color");
      expect(await colour(".viewer [aria-pressed=false]", "background-color")).not.toBe(pressed);
      expect(await colour(".control[data-changed=false]", "border-left-color")).toBe(ground);
      await shoot(page, "contrast-theme", true);
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
      // What shines through is lighter on paper than on the screen, and of another colour in Firefox.
      expect(await page.locator(".report-pictures img").first().evaluate(leastOpacity)).toBe(255);
      const { model, release } = await answerOf(first);
      for (const said of [
        model.sha256,
        `NeuroFuse ${release}, ${model.provider}`,
        "neither a finding nor a cause",
      ]) {
        await expect.poll(() => page.locator(".report").innerText()).toContain(said);
      }
      expect(await page.locator(".report .viewer-ramp").evaluate((ramp) => ramp.clientWidth)).toBeGreaterThan(
        50,
      );
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
    "says when it is printed, not when it was opened",
    async () => {
      const page = await openPage(browser);
      await page.clock.setFixedTime(new Date(2026, 10, 29, 23, 50));
      await page.goto(`${service.url}/#/report/${first}`);
      await page.locator(".report[data-state=taken]").waitFor({ timeout: 120_000 });
      const identity = page.locator(".report-identity");
      await expect.poll(() => identity.innerText()).toMatch(/Printed\s+2026-11-29 23:50/);
      await page.clock.setFixedTime(new Date(2026, 10, 30, 7, 5));
      await page.pdf();
      await expect.poll(() => identity.innerText()).toMatch(/Printed\s+2026-11-30 07:05/);
      await page.context().close();
    },
    SLOW,
  );

  it(
    "says on paper that the browser cannot draw the image, not that the image has gone",
    async () => {
      const plain = await launch(["--disable-3d-apis"]);
      const page = await openPage(plain);
      await page.goto(`${service.url}/#/report/${first}`);
      const caption = page.locator(".report-stored figcaption");
      await caption.waitFor();
      await expect.poll(() => caption.textContent()).toMatch(/no WebGL 2.* picture that was stored/);
      expect(await caption.textContent()).not.toContain("not kept");
      await plain.close();
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
    await expect.poll(() => page.getByRole("alert").innerText()).toContain("There is no such prediction.");
    await page.context().close();
  });
});

async function open(hash: string, awaited: string, failing: Failing[] = []): Promise<Page> {
  const page = await openPage(browser, failing);
  await page.goto(`${service.url}/${hash}`);
  await page.locator(awaited).first().waitFor({ timeout: 120_000 });
  return page;
}

/** Run in the page: the lowest alpha of a picture's pixels, 0 to 255. */
function leastOpacity(picture: SVGElement | HTMLElement): number {
  const image = picture as HTMLImageElement;
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const pen = canvas.getContext("2d");
  pen?.drawImage(image, 0, 0);
  const data = pen?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  return Math.min(
    ...Array.from(data)
      .filter((_, index) => index % 4 === 3)
      .filter((alpha) => alpha < 255),
    255,
  );
}

type Given = {
  release: string;
  prediction: { favourable: number };
  model: { sha256: string; provider: string };
};

async function answerOf(id: string): Promise<Given> {
  return (await fetch(`${service.url}/predictions/${id}`)).json() as Promise<Given>;
}
