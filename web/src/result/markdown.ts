/** The Markdown that model cards are written in: headings, paragraphs, lists, tables; strong, emphasis, code, links. */

export type Inline =
  | { kind: "text" | "strong" | "emphasis" | "code"; text: string }
  | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading"; level: number; content: Inline[] }
  | { kind: "paragraph"; content: Inline[] }
  | { kind: "list"; items: Inline[][] }
  | { kind: "table"; header: Inline[][]; rows: Inline[][][] };

const INLINE =
  /\*\*(?<strong>[^*]+)\*\*|\*(?<emphasis>[^*]+)\*|`(?<code>[^`]+)`|\[(?<link>[^\]]+)\]\((?<href>[^)\s]+)\)/g;
const ITEM = /^[-*] /;
const RULE = /^\|[\s:|-]+\|$/;

export function parseMarkdown(source: string): Block[] {
  return source
    .replace(/\r\n/g, "\n")
    .replace(/^(#{1,6} .*)$/gm, "\n$1\n")
    .split(/\n\s*\n/)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== "")
    .map(blockOf);
}

function blockOf(chunk: string): Block {
  const lines = chunk.split("\n");
  const heading = /^(#{1,6}) (.*)$/.exec(chunk);
  if (heading)
    return { kind: "heading", level: heading[1]?.length ?? 1, content: inlinesOf(heading[2] ?? "") };
  if (lines.every((line) => line.startsWith("|"))) return tableOf(lines);
  if (ITEM.test(chunk)) return { kind: "list", items: itemsOf(lines) };
  return { kind: "paragraph", content: inlinesOf(lines.join(" ")) };
}

function tableOf(lines: string[]): Block {
  const [header = [], ...rows] = lines
    .filter((line) => !RULE.test(line))
    .map((line) => line.slice(1, line.endsWith("|") ? -1 : undefined).split("|"))
    .map((cells) => cells.map((cell) => inlinesOf(cell.trim())));
  return { kind: "table", header, rows };
}

/** A line that begins no item goes on with the one before. */
function itemsOf(lines: string[]): Inline[][] {
  const items: string[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items.map(inlinesOf);
}

export function inlinesOf(text: string): Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    parts.push(inlineOf(match.groups ?? {}));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** Only addresses of the web become links; anything else stays text. */
function inlineOf({ strong, emphasis, code, link = "", href = "" }: Record<string, string>): Inline {
  if (strong !== undefined) return { kind: "strong", text: strong };
  if (emphasis !== undefined) return { kind: "emphasis", text: emphasis };
  if (code !== undefined) return { kind: "code", text: code };
  return /^https?:\/\//.test(href) ? { kind: "link", text: link, href } : { kind: "text", text: link };
}
