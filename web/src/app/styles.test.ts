import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL("..", import.meta.url));
/** A rule for a class wherever it stands. */
const OWN_RULE = /^\.([a-z][a-z0-9-]*)\s*[,{]/gm;

it("gives every class its looks in one folder, since a view's styles stay when another view opens", () => {
  const folders = new Map<string, Set<string>>();
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".css"))) {
    for (const [, name] of readFileSync(join(SOURCES, file), "utf8").matchAll(OWN_RULE)) {
      if (name) folders.set(name, (folders.get(name) ?? new Set()).add(dirname(file)));
    }
  }
  expect(folders.size).toBeGreaterThan(50);
  const shared = [...folders].filter(([, places]) => places.size > 1).map(([name]) => name);
  expect(shared).toEqual([]);
});
