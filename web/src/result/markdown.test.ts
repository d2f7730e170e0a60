import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inlinesOf, parseMarkdown } from "./markdown";

describe("the Markdown of model cards", () => {
  it("of the packages served here is read without leftovers", () => {
    for (const name of ["gos", "ad"]) {
      const blocks = parseMarkdown(readFileSync(`../model_store/${name}/1/MODEL_CARD.md`, "utf8"));
      expect(blocks[0]?.kind).toBe("heading");
      expect(new Set(blocks.map(({ kind }) => kind))).toEqual(
        new Set(["heading", "paragraph", "table", "list"]),
      );
      const table = blocks.find((block) => block.kind === "table");
      expect(table?.kind === "table" && table.rows.every((row) => row.length === table.header.length)).toBe(
        true,
      );
      expect(JSON.stringify(blocks)).not.toMatch(/\*\*|## |\|---/);
    }
  });

  it("has strong, emphasis, code and links to the web", () => {
    expect(inlinesOf("a **b** *c* `d` [e](https://f.example/g)")).toEqual([
      { kind: "text", text: "a " },
      { kind: "strong", text: "b" },
      { kind: "text", text: " " },
      { kind: "emphasis", text: "c" },
      { kind: "text", text: " " },
      { kind: "code", text: "d" },
      { kind: "text", text: " " },
      { kind: "link", text: "e", href: "https://f.example/g" },
    ]);
  });

  it("makes no link that could run code", () => {
    expect(inlinesOf("[x](javascript:alert)")).toEqual([{ kind: "text", text: "x" }]);
  });

  it("goes on with a list item on the next line", () => {
    expect(parseMarkdown("- one\n  more\n- two")).toEqual([
      { kind: "list", items: [[{ kind: "text", text: "one more" }], [{ kind: "text", text: "two" }]] },
    ]);
  });
});
