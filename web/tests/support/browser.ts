import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, ConsoleMessage, Page } from "playwright-core";
import { afterEach, expect } from "vitest";
import { ROOT } from "./service";

const SHOTS = join(ROOT, "web/shots");

/** What the browser itself writes of a request that a test makes fail, by its status or the network's own name. */
export type Failing =
  | (401 | 403 | 404 | 410 | 413 | 415 | 422 | 503)
  | ("net::ERR_CONNECTION_REFUSED" | "net::ERR_FILE_NOT_FOUND");

const DESKTOP = { width: 1440, height: 900 };
const complaints: string[] = [];

// Also after a test that passed: an error in the console is one that somebody has not seen yet.
afterEach(() => {
  expect(complaints.splice(0), "errors in the browser's console").toEqual([]);
});

// vitest itself says nothing of it where the test passed in the end.
afterEach(({ task }) => {
  if (task.result?.retryCount) console.warn(`passed, or failed, at a second try: ${task.name}`);
});

/**
 * A page that fails its test on any error in its console, such as a breach of the Content-Security-Policy, and on any
 * exception that nobody caught.
 *
 * @param failing requests that are meant to fail
 */
export async function openPage(browser: Browser, failing: Failing[] = [], size = DESKTOP): Promise<Page> {
  const context = await browser.newContext({ viewport: size, reducedMotion: "reduce" });
  const page = await context.newPage();
  // Waiting ends when what is waited for comes: the bound is for what never does, on the slowest of machines.
  page.setDefaultTimeout(120_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() !== "error" || isExpected(message, failing)) return;
    complaints.push(`${message.text()} (${message.location().url})`);
  });
  return page;
}

function isExpected(message: ConsoleMessage, failing: Failing[]): boolean {
  // The picture of an upload that was given up before the browser asked for it: it is shown to nobody.
  if (/\/uploads\/[^/]+\/overview\.png$/.test(message.location().url)) return true;
  const [, failed] = /^Failed to load resource: (?:.*status of )?(\d{3}|net::\w+)/.exec(message.text()) ?? [];
  return failing.some((one) => String(one) === failed);
}

/** A picture to look at, in a folder that git ignores; where nobody looks none is taken. */
export async function shoot(page: Page, name: string, fullPage = false): Promise<void> {
  if (process.env.CI) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage, animations: "disabled" });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds serious or critical, as `rule: element`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Through the debugger, as the page's own policy lets no foreign script in.
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: unknown) => Promise<AxeResults> } };
    const results = await axe.run({
      // Of what passes, which is most of it, nothing is written up.
      resultTypes: ["violations"],
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return results.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
  });
}

type AxeResults = { violations: { id: string; impact: string; nodes: { target: string[] }[] }[] };
