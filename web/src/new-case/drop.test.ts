import { expect, it } from "vitest";
import { filesBelow } from "./drop";

type Entry = Parameters<typeof filesBelow>[0][number];

const file = (name: string): Entry => ({
  isFile: true,
  isDirectory: false,
  name,
  file: (found) => found(new File(["x"], name)),
});

/** A folder that hands its entries out in batches, as browsers do. */
const folder = (name: string, children: Entry[], batch = 100): Entry => ({
  isFile: false,
  isDirectory: true,
  name,
  createReader: () => {
    let at = 0;
    return {
      readEntries: (found) => {
        const next = children.slice(at, at + batch);
        at += next.length;
        found(next);
      },
    };
  },
});

const names = async (entries: Entry[]) => (await filesBelow(entries)).map(({ name }) => name).sort();

it("finds every file of nested folders", async () => {
  const study = folder("study", [folder("series", [file("1"), file("2")]), folder("other", [file("3")])]);
  expect(await names([study, file("4")])).toEqual(["1", "2", "3", "4"]);
});

it("asks a folder until it has no more, however small its batches", async () => {
  const many = Array.from({ length: 250 }, (_, index) => file(String(index)));
  expect(await names([folder("series", many)])).toHaveLength(250);
});

it("leaves out what operating systems put into folders", async () => {
  const litter = [file(".DS_Store"), file("Thumbs.db"), file("desktop.ini"), folder("__MACOSX", [file("1")])];
  expect(await names([folder("series", [...litter, file("slice")])])).toEqual(["slice"]);
});

it("finds nothing in an empty folder", async () => {
  expect(await names([folder("empty", [])])).toEqual([]);
});

it("fails where a file cannot be read", async () => {
  const locked: Entry = { ...file("locked"), file: (_found, failed) => failed?.(new Error("no permission")) };
  await expect(filesBelow([locked])).rejects.toThrow("no permission");
});
