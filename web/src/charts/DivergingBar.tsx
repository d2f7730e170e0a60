import "./charts.css";

/** A length to the right or to the left of a middle line; `value` is -1 to 1. Repeats what is written beside it. */
export function DivergingBar({ value }: { value: number }) {
  const length = Math.min(1, Math.abs(value)) * 50;
  return (
    <svg className="bar-chart" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-chart-ground" width="100" height="10" />
      <rect
        className={value > 0 ? "bar-chart-strong" : "bar-chart-weak"}
        x={value > 0 ? 50 : 50 - length}
        width={length}
        height="10"
      />
      <line className="bar-chart-middle" x1="50" x2="50" y1="0" y2="10" />
    </svg>
  );
}
