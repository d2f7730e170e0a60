import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const PYTHON = process.env.NEUROFUSE_PYTHON ?? join(ROOT, ".venv/bin/python");

const START_TIMEOUT_MS = 200_000;

/** A real service in a process of its own: what an operator runs, with the page that was built. */
export type Service = { url: string; data: string; stop: () => Promise<void> };

/**
 * Run `neurofuse serve` on a free port until its packages are ready, or until another probe says so.
 *
 * @param settings more `NEUROFUSE_` variables
 * @param port where; a free one by default
 * @param probe `/livez` where no package is needed
 */
export async function serve(
  settings: Record<string, string> = {},
  port?: number,
  probe: "/readyz" | "/livez" = "/readyz",
): Promise<Service> {
  const data = mkdtempSync(join(tmpdir(), "neurofuse-page-"));
  const chosen = port ?? (await freePort());
  const child = spawn(PYTHON, ["-m", "app.cli", "serve"], {
    cwd: ROOT,
    env: {
      ...process.env,
      NEUROFUSE_PORT: String(chosen),
      NEUROFUSE_DATA: data,
      NEUROFUSE_THREADS: "1",
      NEUROFUSE_LOG_LEVEL: "WARNING",
      ...settings,
    },
    stdio: ["ignore", "ignore", openSync(join(data, "log"), "w")],
  });
  const url = `http://127.0.0.1:${chosen}`;
  try {
    await untilReady(child, url + probe);
  } catch (error) {
    const said = readFileSync(join(data, "log"), "utf8").slice(-2000);
    rmSync(data, { recursive: true, force: true });
    throw new Error(`${error}\n${said}`);
  }
  const stop = async () => {
    await ended(child);
    rmSync(data, { recursive: true, force: true });
  };
  return { url, data, stop };
}

/** A new store of the first `gos` alone, which is loaded in a third of the time that all packages take. */
export function storeOfOne(): string {
  const store = mkdtempSync(join(tmpdir(), "neurofuse-store-"));
  cpSync(join(ROOT, "model_store/gos/1"), join(store, "gos/1"), { recursive: true });
  return store;
}

async function untilReady(child: ChildProcess, probe: string): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < end) {
    if (hasEnded(child)) throw new Error(`the service ended with ${child.exitCode}`);
    const isReady = await fetch(probe).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  child.kill("SIGKILL");
  throw new Error("the service did not become ready");
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((done) => {
    child.once("exit", () => done());
    child.kill("SIGTERM");
  });
}

export function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address ? address.port : 0));
    });
  });
}
