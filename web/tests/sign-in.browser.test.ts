import { rmSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Failing, openPage, seriousFindings, shoot } from "./support/browser";
import { CAN_BROWSE, launch } from "./support/chromium";
import { goldenNifti } from "./support/images";
import { CLIENT_ID, type Provider, provide } from "./support/provider";
import { freePort, type Service, serve, storeOfOne } from "./support/service";

const SLOW_MS = 240_000;

let store: string;
let service: Service;
let provider: Provider;
let browser: Browser;

describe.skipIf(!CAN_BROWSE)("who comes in by the page", () => {
  beforeAll(async () => {
    const port = await freePort();
    provider = await provide(`http://127.0.0.1:${port}/auth/callback`);
    store = storeOfOne();
    const asking = {
      NEUROFUSE_MODEL_STORE: store,
      NEUROFUSE_AUTHENTICATION: "on",
      NEUROFUSE_OIDC_ISSUER: provider.issuer,
      NEUROFUSE_OIDC_CLIENT_ID: CLIENT_ID,
    };
    service = await serve(asking, port);
    browser = await launch();
  }, SLOW_MS);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    provider?.stop();
    if (store) rmSync(store, { recursive: true });
  });

  async function open(hash: string, failing: Failing[] = []): Promise<Page> {
    const page = await openPage(browser, failing);
    await page.goto(`${service.url}/${hash}`);
    return page;
  }

  async function signIn(page: Page, person: string): Promise<void> {
    await page.getByRole("link", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: person }).click();
    await page.locator(".person, .problem").first().waitFor();
  }

  it(
    "shows nothing before, the view that was asked for afterwards, and nothing again after signing out",
    async () => {
      const page = await open("#/worklist?task=gos");
      await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
      expect(await page.getByRole("navigation").count()).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "sign-in");

      await signIn(page, "clara");
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      await expect.poll(() => page.locator(".person").textContent()).toContain("Clara Clinician");
      expect(await page.evaluate(() => [document.cookie, location.search])).toEqual(["", ""]);
      const cookies = await page.context().cookies(service.url);
      expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
        ["neurofuse-session", true, "Strict"],
      ]);
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "signed-in");
      for (const [name, width] of [
        ["tablet", 768],
        ["phone", 390],
        ["enlarged", 320],
      ] as const) {
        await page.setViewportSize({ width, height: 844 });
        await shoot(page, `signed-in-${name}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, name).toBeLessThanOrEqual(0);
      }
      await page.setViewportSize({ width: 768, height: 1024 });

      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
      expect(await page.context().cookies(service.url)).toEqual([]);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "says that somebody is still signed in where signing out did not succeed",
    async () => {
      // 401: what the worklist still asks for on a slow machine when its session ends.
      const page = await open("#/worklist", [401, "net::ERR_CONNECTION_REFUSED"]);
      await signIn(page, "clara");
      await page.route("**/auth/sign-out", (route) => route.abort("connectionrefused"));
      await page.getByRole("button", { name: "Sign out" }).click();
      const dialog = page.getByRole("dialog", { name: "You are still signed in" });
      await dialog.getByText("The service cannot be reached.").waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.unroute("**/auth/sign-out");
      await dialog.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
      expect(await page.context().cookies(service.url)).toEqual([]);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "keeps what was entered, out of sight, from whoever comes after the session",
    async () => {
      const page = await open("#/new", [401]);
      await signIn(page, "clara");
      await page.locator(".feature").first().waitFor();
      await page.fill("#record_age", "71");
      await page.context().clearCookies();
      page.once("dialog", (question) => question.accept()); // what was entered is given up
      // Whatever is asked next is refused.
      await page.getByRole("link", { name: "Worklist" }).click();
      const dialog = page.getByRole("dialog", { name: "You have been signed out" });
      await dialog.waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await expect.poll(() => dialog.isVisible()).toBe(true);
      await expect.poll(() => page.locator("#view").isVisible()).toBe(false);
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "signed-out");

      const [tab] = await Promise.all([
        page.context().waitForEvent("page"),
        dialog.getByRole("link").click(),
      ]);
      await tab.getByRole("button", { name: "clara" }).click();
      await tab.locator(".person").waitFor();
      await dialog.waitFor({ state: "detached" });
      await page.getByRole("heading", { name: "Worklist" }).waitFor();
      await expect.poll(() => page.locator("#view").isVisible()).toBe(true);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "goes on with a case in the middle of which the session ended",
    async () => {
      const page = await open("#/new", [401]);
      await signIn(page, "clara");
      await page.locator(".feature").first().waitFor();
      await page.setInputFiles("[data-picker=files]", goldenNifti("gos"));
      await page.locator(".preview").waitFor();
      await page.fill("#record_age", "71");
      await page.fill("#reference", "CT-1");
      await page.context().clearCookies();
      await page.locator(".submit-action .primary").click();
      const dialog = page.getByRole("dialog", { name: "You have been signed out" });
      const [tab] = await Promise.all([
        page.context().waitForEvent("page"),
        dialog.getByRole("link").click(),
      ]);
      await tab.getByRole("button", { name: "clara" }).click();
      await tab.locator(".person").waitFor();
      await dialog.waitFor({ state: "detached" });
      await page.locator(".problem").getByRole("button", { name: "Try again" }).click();
      await page.waitForURL(/#\/case\//);
      await page.locator(".features td", { hasText: "71 years" }).waitFor();
      await expect.poll(() => page.title()).toBe("CT-1 · Result · NeuroFuse");
      await expect.poll(() => sheetsOf(page)).toContain("CT-1");
      await page.context().clearCookies();
      // Whatever else the page asks for may be refused before.
      await page.locator(".result-heading button").dispatchEvent("click");
      await dialog.waitFor();
      await expect.poll(() => page.title()).toBe("Result · NeuroFuse");
      await expect.poll(() => sheetsOf(page)).not.toContain("CT-1");
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "hides what lies open once nobody has done anything for a while",
    async () => {
      const page = await open("#/new");
      await signIn(page, "clara");
      await page.clock.install();
      await page.reload();
      await page.locator(".feature").first().waitFor();
      await page.context().clearCookies();
      await page.clock.fastForward("29:00");
      await expect.poll(() => page.locator("#view").isVisible()).toBe(true);
      await page.clock.fastForward("02:00");
      await page.getByRole("dialog", { name: "You have been signed out" }).waitFor();
      await expect.poll(() => page.locator("#view").isVisible()).toBe(false);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "hides what lies open where a table is asked for after the session",
    async () => {
      const page = await open("#/worklist", [401]);
      await signIn(page, "clara");
      await page.locator(".nothing, .cases").waitFor();
      await page.context().clearCookies();
      await page.getByText("Feedback as CSV").click();
      await page.getByRole("dialog", { name: "You have been signed out" }).waitFor();
      await expect.poll(() => page.locator("#view").isVisible()).toBe(false);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "offers somebody else nothing that the one before had open",
    async () => {
      const page = await open("#/new", [401]);
      await signIn(page, "clara");
      const asked: string[] = [];
      page.on("dialog", (question) => {
        asked.push(question.type());
        question.dismiss().catch(() => {});
      });
      // Typed, as a browser asks before leaving only where somebody did something.
      await page.locator("#record_age").click();
      await page.keyboard.type("71");
      const other = await page.context().newPage();
      await other.goto(service.url);
      await other.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("dialog", { name: "You have been signed out" }).waitFor();
      // Until the page is loaded anew, which may take its time.
      await page.evaluate(() => {
        const gate = document.querySelector<HTMLElement>(".gate");
        const look = () => gate?.hidden || sessionStorage.setItem("shown", "to somebody else");
        if (gate) new MutationObserver(look).observe(gate, { attributes: true });
      });
      await signIn(other, "adam");
      await page.locator(".person", { hasText: "Adam Admin" }).waitFor();
      expect(await page.evaluate(() => sessionStorage.getItem("shown"))).toBeNull();
      await page.locator(".feature").first().waitFor();
      await expect.poll(() => page.inputValue("#record_age")).toBe("");
      expect(asked).toEqual([]);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "believes its last look at who is signed in, though an earlier one arrives after it",
    async () => {
      const page = await open("#/worklist", [401]);
      await signIn(page, "clara");
      await page.locator(".nothing, .cases").waitFor();
      const [seen, tellSeen] = promised();
      const [held, letGo] = promised();
      const [given, tellGiven] = promised();
      let looks = 0;
      await page.route("**/auth/me", async (route) => {
        // Not `times: 1`: what a page asks for in the moment in which Chromium's interception ends may never be answered.
        if (looks++ > 0) return route.continue();
        const response = await route.fetch();
        tellSeen();
        await held;
        await route.fulfill({ response }).catch(() => {}); // the page may have given it up
        tellGiven();
      });
      const look = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await look();
      await seen;
      await page.context().clearCookies();
      await look();
      await page.getByRole("dialog", { name: "You have been signed out" }).waitFor();
      letGo();
      await given;
      // What was given before is heard of before.
      await page.evaluate(() => fetch("/livez").then((response) => response.text()));
      await page.evaluate(() => new Promise(requestAnimationFrame));
      expect(await page.locator("#view").isVisible()).toBe(false);
      await page.context().close();
    },
    SLOW_MS,
  );

  it(
    "tells those without a part in care so, and lets them out again",
    async () => {
      for (const [person, words] of [
        ["olga", "has the role Operations"],
        ["nora", "no role in this service"],
      ] as const) {
        const page = await open("");
        await signIn(page, person);
        await page.locator(".sign-in-card", { hasText: words }).waitFor();
        expect(await page.getByRole("navigation").count()).toBe(0);
        expect(await seriousFindings(page)).toEqual([]);
        await shoot(page, `no-cases-${person}`);
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
        await page.context().close();
      }
    },
    SLOW_MS,
  );

  it(
    "says in words that a sign-in failed",
    async () => {
      const page = await open("");
      await signIn(page, "deny");
      await expect.poll(() => page.locator(".problem").getAttribute("data-code")).toBe("sign-in-failed");
      expect(await seriousFindings(page)).toEqual([]);
      await shoot(page, "sign-in-failed");
      await page.context().close();
    },
    SLOW_MS,
  );
});

function promised(): [Promise<void>, () => void] {
  let keep = () => {};
  const promise = new Promise<void>((done) => {
    keep = done;
  });
  return [promise, keep];
}

/** What is written into every printed sheet. */
function sheetsOf(page: Page): Promise<string> {
  return page.evaluate(() =>
    document.adoptedStyleSheets.flatMap((one) => [...one.cssRules].map((rule) => rule.cssText)).join(" "),
  );
}
