import { type Block, type Inline, parseMarkdown } from "./markdown";

/** Markdown as elements; nothing of it is ever taken for HTML. Headings begin at the third level, inside a view. */
export function Markdown({ source }: { source: string }) {
  return keyed(parseMarkdown(source)).map(([key, block]) => <BlockView key={key} block={block} />);
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      return block.level < 2 ? (
        <h3>
          <Inlines of={block.content} />
        </h3>
      ) : (
        <h4>
          <Inlines of={block.content} />
        </h4>
      );
    case "paragraph":
      return (
        <p>
          <Inlines of={block.content} />
        </p>
      );
    case "list":
      return (
        <ul>
          {keyed(block.items).map(([key, item]) => (
            <li key={key}>
              <Inlines of={item} />
            </li>
          ))}
        </ul>
      );
    case "table":
      return <TableView block={block} />;
  }
}

function TableView({ block }: { block: Extract<Block, { kind: "table" }> }) {
  return (
    <table>
      <thead>
        <tr>
          {keyed(block.header).map(([key, cell]) => (
            <th key={key}>
              <Inlines of={cell} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {keyed(block.rows).map(([key, row]) => (
          <tr key={key}>
            {keyed(row).map(([column, cell]) => (
              <td key={column}>
                <Inlines of={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Inlines({ of }: { of: Inline[] }) {
  return keyed(of).map(([key, part]) => <InlineView key={key} part={part} />);
}

function InlineView({ part }: { part: Inline }) {
  switch (part.kind) {
    case "strong":
      return <strong>{part.text}</strong>;
    case "emphasis":
      return <em>{part.text}</em>;
    case "code":
      return <code>{part.text}</code>;
    case "link":
      return (
        <a href={part.href} rel="noreferrer" target="_blank">
          {part.text}
        </a>
      );
    case "text":
      return part.text;
  }
}

/** A text never changes while it is shown, so a part's place is its key. */
function keyed<T>(parts: readonly T[]): [number, T][] {
  return parts.map((part, index) => [index, part]);
}
