import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL("..", import.meta.url));
/** A rule for a class wherever it stands. */
const OWN_RULE = /^\.([a-z][a-z0-9-]*)\s*[,{]/gm;
const CLASSES = /className="([^"]+)"/g;
const STYLES = /^import "(\.[^"]*\.css)";$/gm;
/** On every page from the beginning. */
const ALWAYS = ["app", "charts"];

const sources = (suffix: string) =>
  readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(suffix));
const textOf = (file: string) => readFileSync(join(SOURCES, file), "utf8");

/** The folders that have a rule for each class. */
function looks(): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>();
  for (const file of sources(".css")) {
    for (const [, name] of textOf(file).matchAll(OWN_RULE)) {
      if (name) folders.set(name, (folders.get(name) ?? new Set()).add(dirname(file)));
    }
  }
  return folders;
}

it("gives every class its looks in one folder, since a view's styles stay when another view opens", () => {
  const folders = looks();
  expect(folders.size).toBeGreaterThan(50);
  const shared = [...folders].filter(([, places]) => places.size > 1).map(([name]) => name);
  expect(shared).toEqual([]);
});

it("brings the looks of every class along, since another view's styles may not have come yet", () => {
  const folders = looks();
  const lacking = sources(".tsx").flatMap((file) => {
    const brought = [...ALWAYS, ...sources(".tsx").flatMap((other) => styledBy(dirname(file), other))];
    return [...textOf(file).matchAll(CLASSES)]
      .flatMap(([, names]) => names?.split(" ") ?? [])
      .filter((name) => folders.has(name) && !brought.some((place) => folders.get(name)?.has(place)))
      .map((name) => `${file}: ${name}`);
  });
  expect(lacking).toEqual([]);
});

/** The folders whose styles a file of this folder imports. */
function styledBy(folder: string, file: string): string[] {
  if (dirname(file) !== folder) return [];
  return [...textOf(file).matchAll(STYLES)].map(([, path]) => dirname(normalize(join(folder, path ?? ""))));
}
