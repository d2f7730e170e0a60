import { useState } from "react";
import { getFeedbackTable } from "../api/worklist";
import { ProblemNotice } from "../app/ProblemNotice";
import { texts } from "../texts/en";

/** A blob is read some time after the click that saves it. */
const READ_MS = 60_000;

/** Every feedback as a file. Fetched by the page, as no page hears of a download that its service refused. */
export function FeedbackTable() {
  const [error, setError] = useState<unknown>(null);
  const save = () => {
    setError(null);
    getFeedbackTable().then(saveAsFile, setError);
  };
  return (
    <>
      <button type="button" className="filter-csv" onClick={save}>
        {texts.worklist.csv}
      </button>
      {error !== null && <ProblemNotice error={error} onRetry={save} />}
    </>
  );
}

function saveAsFile(table: Blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(table);
  link.download = "feedback.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_MS);
}
