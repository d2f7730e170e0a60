import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Failing, openPage, seriousFindings, shoot } from "./support/browser";
import { CAN_BROWSE, launch } from "./support/chromium";
import { dropFolder } from "./support/drop";
import { holdAnswers } from "./support/held";
import { ctFolder, goldenNifti } from "./support/images";
import { type Shared, shared } from "./support/shared";

const SLOW_MS = 240_000;
const OTHER = "education_years";

let service: Shared;
let browser: Browser;

describe.skipIf(!CAN_BROWSE)("a new case that is changed on the way", () => {
  beforeAll(async () => {
    service = await shared();
    browser = await launch();
  }, SLOW_MS);
  afterAll(() => browser?.close());

  async function open(failing: Failing[] = [], hash = "#/new"): Promise<Page> {
    const page = await openPage(browser, failing);
    await page.goto(`${service.url}/${hash}`);
    if (hash === "#/new") await page.locator(".feature").first().waitFor();
    return page;
  }

  const send = async (page: Page, task: "gos" | "ad") => {
    await page.setInputFiles("[data-picker=files]", goldenNifti(task));
    await page.locator(".preview").waitFor();
  };
  const choose = async (page: Page, version: string, feature: string) => {
    await page.locator(".choice", { hasText: version }).click();
    await page.locator(`#record_${feature}`).waitFor();
  };
  /** As `send`, once the preview of the image before has gone. */
  const replaceImage = async (page: Page) => {
    const before = await page.locator(".preview img").getAttribute("src");
    await page.setInputFiles("[data-picker=files]", goldenNifti("gos"));
    await expect.poll(() => page.locator(`.preview img:not([src="${before}"])`).count()).toBe(1);
  };
  const entered = async (page: Page) => [
    await page.inputValue("#record_age"),
    await page.inputValue("#record_sex"),
    await page.inputValue("#reference"),
  ];
  const predict = (page: Page) => page.locator(".submit-action .primary").click();
  const note = (page: Page) => page.locator(".submit-action [role=status]");

  it.each([
    ["another value in the record", (page: Page) => page.fill("#record_age", "35")],
    ["another image", (page: Page) => page.setInputFiles("[data-picker=files]", goldenNifti("gos"))],
    ["another question", (page: Page) => choose(page, "ad version 1", OTHER)],
    ["another case number", (page: Page) => page.fill("#reference", "B-2")],
  ] as const)(
    "opens no answer to what it was before: %s",
    async (_, change) => {
      const page = await open([422]);
      // Answered by the service, and not yet heard of by the page.
      const [answered, release] = await holdAnswers(page);
      await page.fill("#record_age", "71");
      await send(page, "gos");
      await predict(page);
      await answered;
      await change(page);
      expect(await page.getByRole("progressbar", { name: "The model" }).count()).toBe(0);
      await release();
      await page.evaluate(() => new Promise(requestAnimationFrame));
      expect(page.url()).toMatch(/#\/new$/);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says why it was stopped, and answers what it is now",
    async () => {
      const page = await open();
      const [answered, release] = await holdAnswers(page);
      await page.fill("#record_age", "71");
      await send(page, "gos");
      await predict(page);
      await answered;
      await page.fill("#record_age", "35");
      await expect.poll(() => note(page).textContent()).toContain("the case was changed");
      await release();
      await predict(page);
      await page.waitForURL(/#\/case\//);
      await page.locator(".features td", { hasText: "35 years" }).waitFor();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "asks whose values they are that were entered before another image, and predicts only then",
    async () => {
      const page = await open();
      const notice = page.locator(".earlier");
      await page.fill("#record_age", "71");
      await page.fill("#reference", "A-1");
      await send(page, "gos");
      expect(await notice.count()).toBe(0);
      await replaceImage(page);
      await notice.waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "new-case-earlier");
      await predict(page);
      await expect.poll(() => note(page).textContent()).toBe("Say first whose values these are.");
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("earlier");
      expect(await page.inputValue("#record_age")).toBe("71");

      await page.getByRole("button", { name: "Yes, keep them" }).press("Enter");
      await notice.waitFor({ state: "detached" });
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("record-title");
      await predict(page);
      await page.waitForURL(/#\/case\//);
      await page.locator(".features td", { hasText: "71 years" }).waitFor();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "clears record and case number of an earlier patient, and begins the next case empty",
    async () => {
      const page = await open();
      await send(page, "gos");
      await page.fill("#record_age", "71");
      await page.getByLabel("Sex", { exact: true }).selectOption("female");
      await page.fill("#reference", "A-1");
      await replaceImage(page);
      await page.getByRole("button", { name: "No, clear" }).click();
      await page.locator(".earlier").waitFor({ state: "detached" });
      await expect.poll(() => entered(page)).toEqual(["", "", ""]);

      await page.fill("#record_age", "35");
      await page.fill("#reference", "B-2");
      await predict(page);
      await page.waitForURL(/#\/case\//);
      // Shown, not only its address: whoever goes back sooner has left nothing yet.
      await page.locator(".result-heading").waitFor();
      for (const leave of [() => page.goBack(), () => page.getByRole("link", { name: "New case" }).click()]) {
        await leave();
        await page.locator(".feature").first().waitFor();
        await expect.poll(() => entered(page)).toEqual(["", "", ""]);
        await page.locator(".drop-zone:not([data-small=true])").waitFor();
        await page.goto(`${service.url}/#/worklist`);
        await page.getByRole("link", { name: "B-2" }).click();
        await page.locator(".result-heading").waitFor();
      }
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "adds the answer to the worklist where that was opened meanwhile, and stays there",
    async () => {
      const page = await open();
      await send(page, "gos");
      await page.fill("#reference", "LEFT-3");
      // Slow on its way: what the view gives up as it closes must not overtake it.
      await page.route("**/predict", async (route) => {
        await page.locator(".cases[aria-busy=false], .nothing").waitFor();
        await new Promise((passed) => setTimeout(passed, 500));
        await route.continue();
      });
      const asked = page.waitForRequest("**/predict");
      await predict(page);
      await asked;
      await page.getByRole("link", { name: "Worklist" }).click();
      await page.getByRole("link", { name: "LEFT-3" }).waitFor();
      expect(page.url()).toMatch(/#\/worklist$/);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "takes a double click for one",
    async () => {
      const page = await open();
      const [answered, release] = await holdAnswers(page);
      await send(page, "gos");
      const predicting = await page.locator(".submit-action .primary").boundingBox();
      if (!predicting) throw new Error("there is nothing to click on");
      const { x, y, width, height } = predicting;
      // Where Cancel will stand.
      await page.mouse.dblclick(x + width - 20, y + height / 2);
      await answered;
      await expect.poll(() => note(page).textContent()).toBe("The model is reading the case");
      await release();
      await page.waitForURL(/#\/case\//);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says to whoever goes by key what Predict and Cancel did, the next button one step further",
    async () => {
      const page = await open();
      const [answered, release] = await holdAnswers(page);
      const said = () => page.evaluate(() => document.activeElement?.textContent);
      await send(page, "gos");
      await page.locator(".submit-action .primary").focus();
      await page.keyboard.press("Enter");
      await answered;
      await expect.poll(said).toBe("The model is reading the case");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(said).toContain("Cancelled.");
      await page.keyboard.press("Tab");
      await expect.poll(said).toBe("Predict");
      await release();
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "sends of the record what the question asks, and keeps the rest for the other question",
    async () => {
      const page = await open();
      await page.fill("#record_age", "71");
      await page.fill("#record_gcs", "9");
      await choose(page, "ad version 1", OTHER);
      await expect.poll(() => page.inputValue("#record_age")).toBe("71");
      await page.fill(`#record_${OTHER}`, "12");
      await choose(page, "gos version 1", "gcs");
      await expect.poll(() => page.inputValue("#record_gcs")).toBe("9");
      await choose(page, "ad version 1", OTHER);
      await send(page, "ad");
      const asked = page.waitForRequest("**/predict");
      await predict(page);
      expect((await asked).postData()).toContain('"age":{"value":71,"unit":"a"}');
      await page.waitForURL(/#\/case\//);
      await expect.poll(() => page.locator(".features tbody th").count()).toBe(2);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "leads to the first field that is wrong, and says so beside the button",
    async () => {
      const page = await open();
      await send(page, "gos");
      await page.fill("#record_age", "7x1");
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      await page.locator(".submit-action .primary").focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => note(page).textContent()).toBe("Correct the fields marked in the record.");
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("record_age");
      await expect.poll(() => page.locator("#record_age-error").textContent()).toContain("Enter a number");
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.type("71");
      await expect.poll(() => note(page).textContent()).toBe("");
      // What is marked as unknown is wrong no more, and who marks it stays where they are.
      await page.fill("#record_age", "7x1");
      const unknown = page.getByLabel("Age: unknown", { exact: true });
      await unknown.focus();
      await page.locator("#record_age-error", { hasText: "Enter a number" }).waitFor();
      await page.keyboard.press("Space");
      await expect.poll(() => page.locator("#record_age-error").textContent()).toBe("");
      expect(await page.locator("#record_age").inputValue()).toBe("");
      expect(await unknown.evaluate((box) => box === document.activeElement)).toBe(true);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "forgets what the service said of a field once it holds another value",
    async () => {
      const page = await open([422]);
      await send(page, "gos");
      await page.fill("#record_glucose", "1,2");
      await page.getByLabel("Unit of Glucose").selectOption("mg/dL");
      await predict(page);
      const said = page.locator("#record_glucose-error", { hasText: "must lie between" });
      await said.waitFor();
      await page.fill("#record_glucose", "120");
      await said.waitFor({ state: "detached" });
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "shows the folder that was dropped last, though another question was chosen while it was read",
    async () => {
      const page = await open();
      await page.evaluate(holdFolders);
      await send(page, "gos");
      await dropFolder(page, ctFolder());
      await page.getByText("Reading the folder").waitFor();
      await page.locator(".choice", { hasText: "gos version 1" }).click();
      await page.evaluate(() => (window as unknown as { release: () => void }).release());
      await page.locator(".preview tr[data-chosen=true]", { hasText: "CT" }).waitFor();
      await expect.poll(() => page.evaluate(() => document.body.dataset.asked)).toBe("gos@1");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "stays where it is when a file is dropped beside the place for it",
    async () => {
      const page = await open();
      const folder = mkdtempSync(join(tmpdir(), "neurofuse-drop-"));
      writeFileSync(join(folder, "note.txt"), "no image");
      await page.evaluate(() => {
        window.addEventListener("drop", (event) => document.body.append(`taken: ${event.defaultPrevented}`));
        window.addEventListener("dragover", (event) => {
          document.body.dataset.effect = event.dataTransfer?.dropEffect;
        });
      });
      await dropFolder(page, join(folder, "note.txt"), ".record-panel");
      await expect.poll(() => page.locator("body").getAttribute("data-effect")).toBe("none");
      rmSync(folder, { recursive: true });
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "fits a screen that is four times enlarged, with no bar before the fields",
    async () => {
      for (const [hash, view] of [
        ["#/new", ".feature"],
        ["#/worklist", ".cases"],
      ] as const) {
        const page = await openPage(browser, [], { width: 320, height: 256 });
        await page.goto(`${service.url}/${hash}`);
        await page.locator(view).first().waitFor();
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, hash).toBeLessThanOrEqual(0);
        const age = page.locator("#record_age");
        if (hash === "#/new") {
          await age.focus();
          expect(await age.evaluate(isOnTop)).toBe(true);
          // Nor does a word of a title, as long as German ones are, lie over the field.
          const beyond = await page.locator(".feature label").first().evaluate(widthBeyond, "M".repeat(40));
          expect(beyond).toBe(0);
        }
        await page.context().close();
      }
    },
    SLOW_MS,
  );

  it("says that an address leads nowhere where it was cut off in the middle", async () => {
    const page = await open([], "#/case/%E0%A4%A");
    await page.getByText("There is no view at this address.").waitFor();
    await shoot(page, "unknown-address");
    await page.context().close();
  });
});

/** Run in the page: by how much a title of one word is wider than its place. */
function widthBeyond(label: Element, word: string): number {
  label.textContent = word;
  return label.scrollWidth - label.clientWidth;
}

/** Run in the page: whether a click in the middle of an element would meet it. */
function isOnTop(element: Element): boolean {
  const { x, y, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}

/** Run in the page: folders are read once `release` is called, and the model that they are sent for is noted. */
function holdFolders(): void {
  const append = FormData.prototype.append as (name: string, value: string | Blob, file?: string) => void;
  FormData.prototype.append = function (...part: Parameters<typeof append>) {
    if (part[0] === "model") document.body.dataset.asked = String(part[1]);
    append.apply(this, part);
  };
  const held = new Promise<void>((done) => {
    (window as unknown as { release: () => void }).release = done;
  });
  const entryOf = DataTransferItem.prototype.webkitGetAsEntry;
  DataTransferItem.prototype.webkitGetAsEntry = function () {
    const folder = entryOf.call(this) as FileSystemDirectoryEntry;
    const readers = Object.getPrototypeOf(folder.createReader()) as FileSystemDirectoryReader;
    const read = readers.readEntries;
    readers.readEntries = function (...found) {
      held.then(() => read.apply(this, found));
    };
    return folder;
  };
}
