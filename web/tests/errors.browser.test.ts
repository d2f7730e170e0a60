import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage, seriousFindings, shoot } from "./support/browser";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { type Service, serve, storeOfOne } from "./support/service";

const SLOW_MS = 240_000;
const MAX_UPLOAD_BYTES = 50_000;

let store: string;
let service: Service;
let browser: Browser;
let page: Page;

describe.skipIf(!CAN_BROWSE)("what goes wrong is said in words, with the remedy", () => {
  beforeAll(async () => {
    store = storeOfOne();
    service = await serve({
      NEUROFUSE_MODEL_STORE: store,
      NEUROFUSE_MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES),
      NEUROFUSE_MAX_CONCURRENT: "1",
      NEUROFUSE_QUEUE_LIMIT: "0",
      NEUROFUSE_SLOW_UPLOADS: "0",
    });
    browser = await launch();
    page = await openPage(browser, [413, 415, 503, "net::ERR_CONNECTION_REFUSED"]);
    await page.goto(`${service.url}/#/new`);
    await page.locator(".feature").first().waitFor();
    await page.fill("#record_age", "71");
  }, SLOW_MS);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    if (store) rmSync(store, { recursive: true });
  });

  async function send(files: string | { name: string; mimeType: string; buffer: Buffer }, code: string) {
    await page.setInputFiles("[data-picker=files]", files);
    await page.locator(`.problem[data-code=${code}]`).waitFor();
    await shoot(page, `problem-${code}`);
    return (await page.locator(".problem").textContent()) ?? "";
  }

  const text = (bytes: number) => ({
    name: "Jane Doe.docx",
    mimeType: "application/msword",
    buffer: Buffer.alloc(bytes, "x"),
  });

  it(
    "names a file that is no image, and never the file",
    async () => {
      const words = await send(text(1000), "unsupported-file");
      expect(words).toContain("Send DICOM files");
      expect(words).not.toContain("Jane");
      expect(await seriousFindings(page)).toEqual([]);
    },
    SLOW_MS,
  );

  it(
    "says that an upload is too large",
    async () => {
      expect(await send(goldenNifti("gos"), "upload-too-large")).toContain("Send only the series");
    },
    SLOW_MS,
  );

  it(
    "counts down to the next try while the service is busy",
    async () => {
      const occupant = await occupy(new URL(service.url).port);
      await send(text(1000), "overloaded");
      const retry = page.locator(".problem button");
      await expect.poll(() => retry.textContent()).toMatch(/Try again in \d+ s/);
      await expect.poll(() => retry.isDisabled()).toBe(true);
      occupant.destroy();
      await retry.and(page.locator(":enabled")).click();
      await page.locator(".problem[data-code=unsupported-file]").waitFor();
    },
    SLOW_MS,
  );

  it("says what it needs where a browser does not run it", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const still = await context.newPage();
    await still.goto(service.url);
    await still.getByText("the browser is too old for it, or runs no scripts").waitFor();
    await context.close();
    expect(await page.getByText("runs no scripts").count()).toBe(0);
  });

  it(
    "says that the service is down, and keeps the record",
    async () => {
      await service.stop();
      expect(await send(text(1000), "service-unreachable")).toContain("Nothing you entered is lost");
      await expect.poll(() => page.inputValue("#record_age")).toBe("71");
    },
    SLOW_MS,
  );
});

/** Hold the only place of the service: a request that is announced and never finished. */
function occupy(port: string): Promise<Socket> {
  const boundary = "b";
  const head =
    `POST /predict HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 10000\r\n` +
    `Content-Type: multipart/form-data; boundary=${boundary}\r\n\r\n--${boundary}\r\n`;
  const socket = connect(Number(port), "127.0.0.1");
  return new Promise((held) => {
    socket.write(head, () => setTimeout(() => held(socket), 500));
  });
}
