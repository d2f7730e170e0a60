import { useState } from "react";
import type { Worklist, WorklistItem } from "../api/types";
import { ProblemNotice } from "../app/ProblemNotice";
import { hrefOf, type Route } from "../app/router";
import { texts } from "../texts/en";
import { CaseTable } from "./CaseTable";
import { DeleteDialog } from "./DeleteDialog";
import { FeedbackDialog } from "./FeedbackDialog";
import { FilterBar } from "./FilterBar";
import { nameOf } from "./name";
import { PAGE_SIZE } from "./query";
import { useWorklist, type WorklistHandle } from "./useWorklist";
import "./worklist.css";

const t = texts.worklist;

/**
 * Earlier predictions: found, opened, compared, judged, removed.
 *
 * @param route with a case that is to be compared with another one, and with what is looked for
 */
export default function WorklistView({ route }: { route: Extract<Route, { view: "worklist" }> }) {
  const list = useWorklist(route);
  const [selected, setSelected] = useState<string[]>(route.selected ? [route.selected] : []);
  const select = (id: string) =>
    setSelected((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id]));
  return (
    <div className="worklist">
      <header className="worklist-head">
        <h1>{t.title}</h1>
        <button type="button" onClick={list.reload}>
          {t.refresh}
        </button>
        {selected.length > 0 && (
          <button type="button" className="plain" onClick={() => setSelected([])}>
            {t.clear(selected.length)}
          </button>
        )}
        <Compare selected={selected} />
      </header>
      <FilterBar filters={list.filters} onFilter={list.filter} />
      {list.error !== null && <ProblemNotice error={list.error} onRetry={list.reload} />}
      {list.value === null && list.pending && <p className="quiet">{texts.shell.loading}</p>}
      {list.value && (
        <Cases
          list={list}
          page={list.value}
          selected={selected}
          setSelected={setSelected}
          onSelect={select}
        />
      )}
    </div>
  );
}

function Compare({ selected: [left, right] }: { selected: string[] }) {
  if (left && right) {
    return (
      <a className="button" href={hrefOf({ view: "compare", left, right })}>
        {t.compare}
      </a>
    );
  }
  return <span className="quiet">{left ? t.compareOne : t.compareHint}</span>;
}

type CasesProps = {
  list: WorklistHandle;
  page: Worklist;
  selected: string[];
  setSelected: (change: (before: string[]) => string[]) => void;
  onSelect: (id: string) => void;
};

type Asked = { what: "feedback" | "delete"; item: WorklistItem };

function Cases({ list, page, selected, setSelected, onSelect }: CasesProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => setAsked(null);
  const changed = () => {
    close();
    list.reload();
  };
  const deleted = (id: string) => {
    setSelected((before) => before.filter((one) => one !== id));
    changed();
  };
  if (page.total === 0) return <Nothing isFiltered={Object.values(list.filters).some(Boolean)} />;
  return (
    <>
      <CaseTable
        isStale={list.pending}
        items={page.items}
        sort={list.sort}
        onSort={list.sortBy}
        selected={selected}
        onSelect={onSelect}
        onFeedback={(item) => setAsked({ what: "feedback", item })}
        onDelete={(item) => setAsked({ what: "delete", item })}
      />
      <Pages page={page} onTurn={list.turnTo} />
      {asked?.what === "feedback" && (
        <FeedbackDialog
          item={asked.item}
          labels={Object.keys(asked.item.probabilities)}
          name={nameOf(asked.item)}
          onClose={close}
          onSaved={changed}
        />
      )}
      {asked?.what === "delete" && (
        <DeleteDialog item={asked.item} onClose={close} onDeleted={() => deleted(asked.item.id)} />
      )}
    </>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <p className="nothing quiet">{t.empty}</p>;
  return (
    <p className="nothing quiet">
      {t.none} <a href={hrefOf({ view: "new" })}>{t.first}</a>
    </p>
  );
}

function Pages({
  page: { total, offset, items },
  onTurn,
}: {
  page: Worklist;
  onTurn: (offset: number) => void;
}) {
  const last = offset + items.length;
  return (
    <nav className="pages" aria-label={t.pages}>
      <button type="button" disabled={offset === 0} onClick={() => onTurn(Math.max(0, offset - PAGE_SIZE))}>
        {t.earlier}
      </button>
      <span role="status">{t.range(Math.min(offset + 1, last), last, total)}</span>
      <button type="button" disabled={last >= total} onClick={() => onTurn(last)}>
        {t.later}
      </button>
    </nav>
  );
}
