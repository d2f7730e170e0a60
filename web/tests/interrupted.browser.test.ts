import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Failing, openPage, seriousFindings, shoot } from "./support/browser";
import { makeCase } from "./support/cases";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { serve, storeOfOne } from "./support/service";
import { type Shared, shared } from "./support/shared";

const SLOW_MS = 240_000;
const LOADED_MS = 120_000;
const LOADED = { timeout: LOADED_MS };
const REFUSED = "net::ERR_CONNECTION_REFUSED";
/** A ward's screen of 1366 by 768, enlarged to 125 %, within a browser. */
const WARD = { width: 1093, height: 500 };

let service: Shared;
let browser: Browser;

describe.skipIf(!CAN_BROWSE)("a case on the way to its answer", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
  }, SLOW_MS);
  afterAll(() => browser?.close());

  async function open(failing: Failing[] = [], size?: { width: number; height: number }): Promise<Page> {
    const page = await openPage(browser, failing, size);
    await page.goto(`${service.url}/#/new`);
    await page.locator(".feature").first().waitFor({ timeout: LOADED_MS });
    return page;
  }

  const send = async (page: Page) => {
    await page.setInputFiles("[data-picker=files]", goldenNifti("gos"));
    await page.locator(".preview").waitFor({ timeout: LOADED_MS });
  };
  const predict = (page: Page) => page.locator(".submit-action .primary").click();

  it(
    "needs no loading anew where the service had just been started",
    async ({ onTestFinished }) => {
      const store = storeOfOne();
      const starting = await serve({ NEUROFUSE_MODEL_STORE: store }, undefined, "/livez");
      onTestFinished(async () => {
        await starting.stop();
        rmSync(store, { recursive: true });
      });
      const page = await openPage(browser);
      await page.goto(`${starting.url}/#/new`);
      await page.locator(".choice").first().waitFor({ timeout: LOADED_MS });
      await send(page);
      await page.locator(".feature").first().waitFor();
      await expect.poll(() => page.locator(".question").innerText(), LOADED).not.toContain("loading");
      await expect.poll(() => page.locator(".question").innerText()).toContain("needs a head CT");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "brings into view why there is no answer, below a form that is longer than the screen",
    async () => {
      const page = await open([REFUSED], WARD);
      await send(page);
      await page.route("**/predict", (route) => route.abort("connectionrefused"));
      await page.evaluate(() => window.scrollTo(0, 0));
      await predict(page);
      const title = page.locator(".prediction-problem h2", { hasText: "cannot be reached" });
      await title.waitFor();
      await expect.poll(() => title.evaluate(isOnTop)).toBe(true);
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.className))
        .toBe("prediction-problem");
      await shoot(page, "new-case-unanswered");
      await page.unroute("**/predict");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/case\//);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says in any view that a case got no answer which somebody had left",
    async () => {
      const page = await open([REFUSED]);
      await send(page);
      await page.fill("#reference", "LEFT-4");
      let fail = () => {};
      const failing = new Promise<void>((done) => {
        fail = done;
      });
      await page.route("**/predict", (route) => failing.then(() => route.abort("connectionrefused")));
      const asked = page.waitForRequest("**/predict");
      await predict(page);
      await asked;
      await page.getByRole("link", { name: "Worklist" }).click();
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      fail();
      const notice = page.locator(".unanswered", { hasText: "No answer came for case LEFT-4" });
      await notice.getByText("The service cannot be reached.").waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "unanswered");
      await page.getByRole("link", { name: "New case" }).click();
      await page.locator(".feature").first().waitFor();
      await notice.getByRole("button", { name: "Close" }).click();
      await notice.waitFor({ state: "detached" });
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "asks before what was entered is lost, with the page, by a link or by Back, and not where nothing was",
    async () => {
      const page = await open();
      const asked: string[] = [];
      let answer = false;
      page.on("dialog", (dialog) => {
        asked.push(dialog.type());
        (answer ? dialog.accept() : dialog.dismiss()).catch(() => {});
      });
      await page.locator("#record_age").click();
      await page.reload();
      await page.locator("#record_age").click();
      expect(asked).toEqual([]);

      await page.keyboard.type("71");
      await page.evaluate(() => window.location.reload());
      await expect.poll(() => asked).toEqual(["beforeunload"]);
      await page.getByRole("link", { name: "Worklist" }).click();
      await expect.poll(() => asked).toEqual(["beforeunload", "confirm"]);
      await expect.poll(() => page.inputValue("#record_age")).toBe("71");

      answer = true;
      await page.getByRole("link", { name: "Worklist" }).click();
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      expect(asked).toEqual(["beforeunload", "confirm", "confirm"]);

      answer = false;
      await page.getByRole("link", { name: "New case" }).click();
      await page.fill("#record_age", "71");
      await page.goBack();
      await expect.poll(() => asked.length).toBe(4);
      await expect.poll(() => page.url()).toMatch(/#\/new$/);
      await expect.poll(() => page.inputValue("#record_age")).toBe("71");
      answer = true;
      await page.goBack();
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      expect(asked.length).toBe(5);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says that the files have gone, not the service, where another question needs them again",
    async () => {
      const page = await open(["net::ERR_FILE_NOT_FOUND"]);
      const folder = mkdtempSync(join(tmpdir(), "neurofuse-disc-"));
      copyFileSync(goldenNifti("gos"), join(folder, "image.nii.gz"));
      await page.setInputFiles("[data-picker=files]", join(folder, "image.nii.gz"));
      await page.locator(".preview").waitFor();
      rmSync(folder, { recursive: true });
      await page.locator(".choice", { hasText: "gos version 1" }).click();
      await page.getByText("This browser could not read the files.").waitFor();
      expect(await page.locator(".problem").count()).toBe(0);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "asks which of two numbers is meant where a separator may be one of thousands",
    async () => {
      const page = await open();
      await send(page);
      const error = page.locator("#record_platelets-error");
      for (const typed of ["1.200", "1,200"]) {
        await page.fill("#record_platelets", typed);
        await predict(page);
        await expect.poll(() => error.textContent()).toContain("Is this 1200 or 1.2?");
        expect(page.url()).toMatch(/#\/new$/);
      }
      await shoot(page, "new-case-thousands");
      await page.fill("#record_platelets", "1200");
      await predict(page);
      await page.waitForURL(/#\/case\//);
      await page.locator(".features td", { hasText: "1200 × 10⁹/L" }).waitFor();

      await page.getByLabel("Haematoma volume, mL").fill("31,500");
      await page.getByText("Is this 31500 or 31.5?").waitFor();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "keeps what is being said of a case where the list behind it fails, or another one has been saved",
    async () => {
      for (const name of ["SAID-1", "SAID-2"]) {
        await makeCase(service.url, "gos", goldenNifti("gos"), {}, null, name);
      }
      const page = await openPage(browser, [REFUSED]);
      await page.goto(`${service.url}/#/worklist`);
      const say = async (name: string, words: string) => {
        await page.getByRole("button", { name: `Feedback on ${name}` }).click();
        await page.getByLabel("Reason").fill(words);
      };
      const said = () => page.getByLabel("Reason").inputValue();
      const list = /\/predictions\?/;
      await say("SAID-1", "an older bleed");
      await page.route(list, (route) => route.abort("connectionrefused"));
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await page.locator(".worklist > .problem").waitFor();
      expect(await said()).toBe("an older bleed");
      await page.unroute(list);

      let release = () => {};
      const held = new Promise<void>((done) => {
        release = done;
      });
      await page.route("**/feedback", async (route) => {
        if (route.request().method() === "PUT") await held;
        await route.continue();
      });
      await page.getByRole("button", { name: "Save" }).click();
      await page.keyboard.press("Escape");
      await page.locator(".worklist > .problem").getByRole("button", { name: "Try again" }).click();
      await say("SAID-2", "an infarct");
      release();
      await page.locator(".cases tr", { hasText: "SAID-1" }).getByText("in words").waitFor();
      expect(await said()).toBe("an infarct");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says what somebody else said of a case meanwhile, before it takes the place of that",
    async () => {
      const { id } = await makeCase(service.url, "gos", goldenNifti("gos"), {}, null, "BOTH-1");
      const page = await openPage(browser, [410]); // its image is not kept
      await page.goto(`${service.url}/#/case/${id}`);
      await page.getByRole("button", { name: "Feedback" }).click();
      await page.getByLabel("Reason").fill("an older bleed");
      const other = { agreement: "disagree", reason: "an infarct", outcome: "gos_3" };
      const address = `${service.url}/predictions/${id}/feedback`;
      await fetch(address, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(other),
      });
      const save = page.getByRole("button", { name: "Save" });
      await save.click();
      await page.getByRole("alert").getByText("disagrees, true outcome GOS 3 (“an infarct”)").waitFor();
      expect(await (await fetch(address)).json()).toMatchObject(other);
      expect(await page.getByLabel("Reason").inputValue()).toBe("an older bleed");
      await save.click();
      await page.getByText("Feedback saved.").waitFor();
      expect(await (await fetch(address)).json()).toMatchObject({ outcome: null, reason: "an older bleed" });
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says of a case that was sent as a job, and opened before its turn, that it is still to be answered",
    async () => {
      const { id } = await makeCase(service.url, "gos", goldenNifti("gos"), {}, null, "JOB-1");
      const page = await openPage(browser, [410]); // its image is not kept
      const waiting = { id, state: "queued", model: "gos@2", reference: "JOB-1" };
      await page.route(`**/predictions/${id}`, (route) =>
        route.fulfill({ status: 202, headers: { "Retry-After": "1" }, json: waiting }),
      );
      for (const view of ["report", "case"]) {
        await page.goto(`${service.url}/#/${view}/${id}`);
        await page.locator("[data-code=not-answered-yet]").waitFor();
      }
      expect(await seriousFindings(page)).toEqual([]);
      await page.unroute(`**/predictions/${id}`);
      await page.getByRole("button", { name: "Try again", exact: true }).press("Enter");
      await page.locator(".result-heading", { hasText: "JOB-1" }).waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("view");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says that a part of the page is missing, as after an update of the service, and loads the page again",
    async () => {
      const { id } = await makeCase(service.url, "gos", goldenNifti("gos"), {});
      const page = await openPage(browser, [404]);
      const code = "**/assets/niivue-viewer-*.js";
      await page.route(code, (route) => route.fulfill({ status: 404 }));
      const missing = page.getByText("A part of this page could not be loaded.");
      for (const view of ["report", "case"]) {
        await page.goto(`${service.url}/#/${view}/${id}`);
        await page.reload(); // what a browser had before is no part of it
        await missing.waitFor();
      }
      await page.unroute(code);
      await page.route("**/assets/CurveChart-*.js", (route) => route.fulfill({ status: 404 }));
      await page.getByRole("button", { name: "Load the page again" }).click();
      await page.locator(".viewer[data-state=open]").waitFor({ timeout: LOADED_MS });
      // Of a part without which the answer is one, that alone.
      await page.locator(".curve .problem").waitFor();
      await page.getByRole("heading", { name: "Probability" }).waitFor();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "has dialogs that fit their words, and can be closed without a keyboard where what they ask for does not come",
    async () => {
      const name = "W".repeat(64); // the longest there is
      await makeCase(service.url, "gos", goldenNifti("gos"), {}, null, name);
      const page = await openPage(browser, [REFUSED]);
      await page.route("**/feedback", (route) => route.abort("connectionrefused"));
      await page.goto(`${service.url}/#/worklist`);
      await page.getByRole("button", { name: `Feedback on ${name}` }).click();
      const dialog = page.getByRole("dialog");
      await dialog.locator(".problem").waitFor();
      expect(await dialog.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.context().close();
    },
    SLOW_MS,
  );
});

/** Run in the page: whether a click in the middle of an element would meet it. */
function isOnTop(element: Element): boolean {
  const { x, y, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}
