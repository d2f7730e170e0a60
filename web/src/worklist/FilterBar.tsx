import { maySeeSite, useSession } from "../sign-in/session";
import { texts } from "../texts/en";
import { FeedbackTable } from "./FeedbackTable";
import { type Filters, labelsOf, NO_FILTERS } from "./query";

const t = texts.worklist;
/** Else a browser takes years of six digits. */
const LAST_DAY = "9999-12-31";

type Props = {
  filters: Filters;
  /** Answers of the cases that are shown. */
  listed: string[];
  onFilter: (change: Partial<Filters>) => void;
};

/** Search and filters; each acts at once. */
export function FilterBar({ filters, listed, onFilter }: Props) {
  const seesSite = maySeeSite(useSession());
  return (
    <search className="filter-bar">
      <label className="filter-search">
        {t.search}
        <input
          type="search"
          value={filters.q}
          placeholder={t.searchHint}
          maxLength={64}
          onChange={(event) => onFilter({ q: event.target.value })}
        />
      </label>
      <Choice
        name={t.task}
        value={filters.task}
        options={Object.entries(t.tasks)}
        onChange={(task) => onFilter({ task, label: "" })}
      />
      <Choice
        name={t.label}
        value={filters.label}
        options={labelsOf(filters, listed).map((label) => [label, t.labelOf(label)])}
        onChange={(label) => onFilter({ label })}
      />
      <Choice
        name={t.feedback}
        value={filters.feedback}
        options={Object.entries(t.feedbackFilter)}
        onChange={(feedback) => onFilter({ feedback })}
      />
      <Day name={t.since} value={filters.since} onChange={(since) => onFilter({ since })} />
      <Day name={t.until} value={filters.until} onChange={(until) => onFilter({ until })} />
      <button type="button" className="plain" onClick={() => onFilter(NO_FILTERS)}>
        {t.reset}
      </button>
      {seesSite && <FeedbackTable />}
    </search>
  );
}

type ChoiceProps = {
  name: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
};

function Choice({ name, value, options, onChange }: ChoiceProps) {
  return (
    <label>
      {name}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{t.all}</option>
        {options.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

type DayProps = { name: string; value: string; onChange: (value: string) => void };

function Day({ name, value, onChange }: DayProps) {
  return (
    <label>
      {name}
      <input
        type="date"
        max={LAST_DAY}
        value={value}
        data-empty={value === ""}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
