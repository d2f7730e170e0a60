import type { WorklistItem } from "../api/types";
import { momentWords } from "../app/moment";
import { hrefOf } from "../app/router";
import { texts } from "../texts/en";
import { nameOf } from "./name";
import { probabilityOf } from "./probability";
import { ariaSort, type Column, type Sort, turned } from "./query";
import { saidWords } from "./said";

const t = texts.worklist;
/** Warnings that have a word of their own here, or that the banner above every view gives. */
const SAID_ELSEWHERE = new Set(["abstained", "out-of-distribution", "training-data"]);
const SORTED: Column[] = ["created", "reference", "task", "model", "label", "favourable"];

type Props = {
  items: WorklistItem[];
  /** Whether these are still the cases of the search before. */
  isStale: boolean;
  sort: Sort;
  onSort: (sort: Sort) => void;
  selected: string[];
  onSelect: (id: string) => void;
  onFeedback: (item: WorklistItem) => void;
  onDelete: (item: WorklistItem) => void;
};

/** Earlier predictions, one a row. */
export function CaseTable(props: Props) {
  return (
    <div className="table-scroll">
      <table className="cases" aria-busy={props.isStale}>
        <thead>
          <tr>
            <th>{t.columns.select}</th>
            {SORTED.map((column) => (
              <SortedHeading key={column} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
            <th>{t.columns.cautions}</th>
            <th>{t.columns.feedback}</th>
            <th>{t.columns.actions}</th>
          </tr>
        </thead>
        <tbody>
          {props.items.map((item) => (
            <Row key={item.id} item={item} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SortedHeading({ column, sort, onSort }: { column: Column } & Pick<Props, "sort" | "onSort">) {
  const order = ariaSort(sort, column);
  const arrow = { ascending: " ↑", descending: " ↓", none: "" }[order];
  return (
    <th aria-sort={order} className={column === "favourable" ? "number" : undefined}>
      <button type="button" className="heading" onClick={() => onSort(turned(sort, column))}>
        {t.columns[column]}
        <span aria-hidden="true">{arrow}</span>
      </button>
    </th>
  );
}

function Row({ item, selected, onSelect, onFeedback, onDelete }: { item: WorklistItem } & Props) {
  const name = nameOf(item);
  const isSelected = selected.includes(item.id);
  return (
    <tr data-chosen={isSelected}>
      <td>
        <input
          type="checkbox"
          aria-label={t.selectFor(name)}
          checked={isSelected}
          disabled={!isSelected && selected.length === 2}
          onChange={() => onSelect(item.id)}
        />
      </td>
      <td>{momentWords(item.created)}</td>
      <th scope="row" className="case-name">
        <a href={hrefOf({ view: "case", id: item.id })}>{name}</a>
      </th>
      <td className="wraps">{t.tasks[item.task] ?? item.task}</td>
      <td>
        {item.model.name} {item.model.version}
      </td>
      <td>{t.labelOf(item.label)}</td>
      <td className="number">{probabilityOf(item)}</td>
      <td className="wraps">
        <Cautions item={item} />
      </td>
      <td className="wraps" data-given={item.feedback !== null}>
        {saidWords(item.feedback)}
      </td>
      <td className="row-actions">
        <button type="button" className="plain" aria-label={t.giveFor(name)} onClick={() => onFeedback(item)}>
          {t.give}
        </button>
        <button type="button" className="plain" aria-label={t.deleteFor(name)} onClick={() => onDelete(item)}>
          {t.delete}
        </button>
      </td>
    </tr>
  );
}

function Cautions({ item }: { item: WorklistItem }) {
  const limits = item.warnings.filter((code) => !SAID_ELSEWHERE.has(code));
  const harmless = item.findings.filter((code) => !item.warnings.includes(code)).length;
  const strong = [
    item.abstained && t.abstained,
    item.out_of_distribution && t.outOfDistribution,
    ...limits.map((code) => t.limit(texts.findings[code] ?? code)),
  ].filter(Boolean);
  const quiet = [harmless > 0 && t.findings(harmless), !item.has_image && t.noImage];
  return (
    <>
      {strong.length > 0 && <span className="row-caution">{strong.join(", ")}</span>}
      {strong.length > 0 && quiet.some(Boolean) && ", "}
      <span className="quiet">{quiet.filter(Boolean).join(", ")}</span>
    </>
  );
}
