import { type ChildProcess, spawn } from "node:child_process";
import { freePort, hasEnded, PYTHON, ROOT } from "./service";

export const CLIENT_ID = "neurofuse-page";

/** The tests' own OpenID provider, in a process of its own. Its address is another site than the service's. */
export type Provider = { issuer: string; stop: () => void };

/**
 * Run one.
 *
 * @param back where it sends people, as registered with it
 */
export async function provide(back: string): Promise<Provider> {
  const port = await freePort();
  const command = ["-m", "tests.support.oidc", String(port), CLIENT_ID, back];
  const child: ChildProcess = spawn(PYTHON, command, { cwd: ROOT, stdio: "ignore" });
  const issuer = `http://localhost:${port}`;
  for (let tries = 0; tries < 2000; tries += 1) {
    if (hasEnded(child)) throw new Error(`the provider ended with ${child.exitCode}`);
    const answers = await fetch(`http://127.0.0.1:${port}/keys`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return { issuer, stop: () => child.kill() };
    await new Promise((wake) => setTimeout(wake, 100));
  }
  child.kill();
  throw new Error("the provider did not come up");
}
