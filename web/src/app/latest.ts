/**
 * Lets only the newest of several requests speak: each call aborts the one before it, and what an older one still
 * brings, as an answer or as a failure, is dropped.
 */
export class Latest<T> {
  #sequence = 0;
  #aborter: AbortController | null = null;

  /**
   * @param ask gets the signal to pass on to the request
   * @returns the answer, or `null` where a newer call or `cancel` has taken its place
   */
  async run(ask: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.cancel();
    const sequence = this.#sequence;
    const aborter = new AbortController();
    this.#aborter = aborter;
    try {
      const answer = await ask(aborter.signal);
      return sequence === this.#sequence ? answer : null;
    } catch (error) {
      if (sequence === this.#sequence) throw error;
      return null;
    }
  }

  /** Drop what is under way. */
  cancel(): void {
    this.#sequence += 1;
    this.#aborter?.abort();
    this.#aborter = null;
  }
}
