import { useRef, useState } from "react";
import type { FormRecord } from "../record/record";

/** What a clinician typed of a patient. */
export type Entered = {
  /** By feature, for every question that was looked at: what two of them ask is filled in once. */
  record: FormRecord;
  reference: string;
};

const NOTHING: Entered = { record: {}, reference: "" };

/**
 * Record and case number of a new case. What was entered before another image took the place of one may be of the
 * patient before: it stays, as the first image may have been the wrong file, but somebody has to say whose it is.
 */
export function useEntered() {
  const [entered, setEntered] = useState(NOTHING);
  const [earlier, setEarlier] = useState(NOTHING);
  const [round, setRound] = useState(0);
  const hadImage = useRef(false);
  return {
    ...entered,
    /** Changes when the fields are to be drawn anew, empty. */
    round,
    isDoubtful: isLeftOf(earlier, entered),
    fill: (change: (before: FormRecord) => FormRecord) =>
      setEntered((before) => ({ ...before, record: change(before.record) })),
    refer: (reference: string) => setEntered((before) => ({ ...before, reference })),
    /** Another image is taken. */
    onImage: () => {
      if (hadImage.current) setEarlier(entered);
      hadImage.current = true;
    },
    keep: () => setEarlier(NOTHING),
    clear: () => {
      setEntered(NOTHING);
      setEarlier(NOTHING);
      setRound(round + 1);
    },
  };
}

/** Whether anything of a patient is there. */
export function hasValues({ record, reference }: Entered): boolean {
  return reference !== "" || Object.values(record).some((value) => value !== undefined);
}

/** Whether any value that was there earlier still is. */
export function isLeftOf(earlier: Entered, now: Entered): boolean {
  const isSame = (name: string) => JSON.stringify(earlier.record[name]) === JSON.stringify(now.record[name]);
  const known = Object.keys(earlier.record).filter((name) => earlier.record[name] !== undefined);
  return known.some(isSame) || (earlier.reference !== "" && earlier.reference === now.reference);
}
