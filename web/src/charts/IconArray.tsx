import "./charts.css";

const ACROSS = 25;
const CELL = 8;

/** 100 figures in rows of 25; the first ones filled. What natural frequencies look like. */
export function IconArray({ counts, label }: { counts: [number, number]; label: string }) {
  const total = counts[0] + counts[1];
  return (
    <svg
      className="icon-array"
      viewBox={`0 0 ${ACROSS * CELL} ${Math.ceil(total / ACROSS) * CELL}`}
      role="img"
      aria-label={label}
    >
      {Array.from({ length: total }, (_, index) => (
        <circle
          // biome-ignore lint/suspicious/noArrayIndexKey: the figures are alike and never move
          key={index}
          className={index < counts[0] ? "icon-filled" : "icon-empty"}
          cx={(index % ACROSS) * CELL + CELL / 2}
          cy={Math.floor(index / ACROSS) * CELL + CELL / 2}
          r={2.8}
        />
      ))}
    </svg>
  );
}
