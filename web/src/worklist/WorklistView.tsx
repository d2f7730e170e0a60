import { useState } from "react";
import { flushSync } from "react-dom";
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
  const [asked, setAsked] = useState<Asked | null>(null);
  const done = () => {
    setAsked((now) => (now === asked ? null : now)); // meanwhile another may have been opened
    list.reload();
  };
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
      <FilterBar
        filters={list.filters}
        listed={list.value?.items.map(({ label }) => label) ?? []}
        onFilter={list.filter}
      />
      {list.error !== null && <ProblemNotice error={list.error} onRetry={list.reload} />}
      {list.value === null && list.pending && <p className="quiet">{texts.shell.loading}</p>}
      {list.value && (
        <Cases list={list} page={list.value} selected={selected} onSelect={select} onAsk={setAsked} />
      )}
      {/* Not part of the list, which may fail to load while words are being typed. */}
      {asked?.what === "feedback" && (
        <FeedbackDialog
          item={asked.item}
          labels={Object.keys(asked.item.probabilities)}
          name={nameOf(asked.item)}
          onClose={() => setAsked(null)}
          onSaved={done}
        />
      )}
      {asked?.what === "delete" && (
        <DeleteDialog
          item={asked.item}
          onClose={() => setAsked(null)}
          onDeleted={() => {
            setSelected((before) => before.filter((one) => one !== asked.item.id));
            flushSync(done); // the case goes, and the focus with its button
            document.getElementById("view")?.focus({ preventScroll: true });
          }}
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
  onSelect: (id: string) => void;
  onAsk: (asked: Asked) => void;
};

type Asked = { what: "feedback" | "delete"; item: WorklistItem };

function Cases({ list, page, selected, onSelect, onAsk }: CasesProps) {
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
        onFeedback={(item) => onAsk({ what: "feedback", item })}
        onDelete={(item) => onAsk({ what: "delete", item })}
      />
      <Pages page={page} onTurn={list.turnTo} />
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
