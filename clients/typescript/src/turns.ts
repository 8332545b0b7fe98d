import type { SignedIn } from "./generated/types.gen.js";
import { type Limits, within } from "./retry.js";
import type { TokenStore } from "./stores.js";

/** How long somebody waits: until their signal is aborted, or their time is over. */
export interface Patience {
  limits: Limits;
  signal?: AbortSignal | null;
}

/**
 * Those who use one store, one after the other: whoever fetches, replaces or ends tokens does so alone. Of two answers with
 * tokens under way at once nobody could tell which is the newer, and the service takes the use of the older one for theft.
 */
export class Line {
  static readonly #lines = new WeakMap<TokenStore, Line>();
  #last: Promise<unknown> = Promise.resolve();
  /** How many answers with tokens came, and the newest of them. */
  answers = 0;
  newest: SignedIn | undefined;

  /** The line of a store: instances that share a store stand in one. */
  static of(store: TokenStore): Line {
    const line = Line.#lines.get(store) ?? new Line();
    Line.#lines.set(store, line);
    return line;
  }

  note(signedIn: SignedIn): void {
    this.newest = signedIn;
    this.answers += 1;
  }

  /**
   * Do something when all before have ended.
   *
   * @param exclusively - Keeps other tabs away meanwhile.
   * @param patience - How long to wait for the turn. Work whose caller has gone must see so by itself, and end at once.
   */
  async turn<T>(
    exclusively: (work: () => Promise<T>) => Promise<T>,
    work: () => Promise<T>,
    patience?: Patience,
  ): Promise<T> {
    const before = this.#last;
    // A promise within an object, or waiting for the beginning would be waiting for the end.
    const begun = new Promise<{ end: Promise<T> }>((begin, fail) => {
      const begins = () => {
        const end = work();
        begin({ end });
        return end;
      };
      this.#last = before.then(() => exclusively(begins)).catch(fail);
    });
    const { end } = await (patience ? within(begun, patience.limits, patience.signal) : begun);
    return end;
  }
}
