import { expect, it } from "vitest";
import { Latest } from "./latest";

function deferred<T>() {
  let settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return {
    promise,
    resolve: (value: T) => settle?.resolve(value),
    reject: (error: unknown) => settle?.reject(error),
  };
}

it("drops an older answer that arrives after a newer one", async () => {
  const latest = new Latest<string>();
  const [slow, fast] = [deferred<string>(), deferred<string>()];
  const older = latest.run(() => slow.promise);
  const newer = latest.run(() => fast.promise);
  fast.resolve("newer");
  expect(await newer).toBe("newer");
  slow.resolve("older");
  expect(await older).toBeNull();
});

it("drops an older answer that arrives before the newer one", async () => {
  const latest = new Latest<string>();
  const [first, second] = [deferred<string>(), deferred<string>()];
  const older = latest.run(() => first.promise);
  const newer = latest.run(() => second.promise);
  first.resolve("older");
  expect(await older).toBeNull();
  second.resolve("newer");
  expect(await newer).toBe("newer");
});

it("aborts the request whose place a newer one takes", () => {
  const latest = new Latest<string>();
  const signals: AbortSignal[] = [];
  const ask = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>(() => undefined);
  };
  latest.run(ask);
  latest.run(ask);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

it("keeps the failure of an older request to itself and throws that of the newest", async () => {
  const latest = new Latest<string>();
  const [first, second] = [deferred<string>(), deferred<string>()];
  const older = latest.run(() => first.promise);
  const newer = latest.run(() => second.promise);
  first.reject(new Error("older"));
  expect(await older).toBeNull();
  second.reject(new Error("newest"));
  await expect(newer).rejects.toThrow("newest");
});

it("says nothing after it was cancelled", async () => {
  const latest = new Latest<string>();
  const only = deferred<string>();
  const run = latest.run(() => only.promise);
  latest.cancel();
  only.resolve("late");
  expect(await run).toBeNull();
});
