let unasked = false;

/** Whether somebody is to be asked before the page goes with what was entered. */
export const doubts = () => !unasked;

/** Leave without a question: whoever was here is signed out, and nothing of theirs may stay for want of an answer. */
export function leaveUnasked(leave: () => void): void {
  unasked = true;
  leave();
}
