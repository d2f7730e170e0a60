import { useCallback } from "react";
import { getModelCard } from "../api/models";
import { useLoaded } from "../app/useLoaded";
import { texts } from "../texts/en";
import { Markdown } from "./Markdown";

/** The card that the package's makers wrote. */
export default function ModelCard({ name, version }: { name: string; version: number }) {
  const card = useLoaded(
    useCallback((signal: AbortSignal) => getModelCard(name, version, signal), [name, version]),
  );
  if (card.pending) return <p className="quiet">{texts.result.model.loading}</p>;
  if (card.value === null) return <p role="status">{texts.result.model.noCard}</p>;
  return (
    <article className="card">
      <Markdown source={card.value} />
    </article>
  );
}
