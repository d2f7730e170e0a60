import "./charts.css";

type Props = {
  /** 0 to 1. */
  share: number;
  /** Said to screen readers; without it the bar repeats what is written beside it. */
  label?: string;
  strong?: boolean;
};

/** A share as a length. */
export function Bar({ share, label, strong = false }: Props) {
  return (
    <span className="bar-chart-place" {...(label !== undefined && { role: "img", "aria-label": label })}>
      <svg className="bar-chart" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect className="bar-chart-ground" width="100" height="10" />
        <rect className={strong ? "bar-chart-strong" : "bar-chart-weak"} width={share * 100} height="10" />
      </svg>
    </span>
  );
}
