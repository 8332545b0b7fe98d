import { type ApiError, isApiError } from "./errors.js";
import type { Client } from "./generated/client/index.js";
import { listProjectChanges } from "./generated/sdk.gen.js";
import type { Change } from "./generated/types.gen.js";
import { sleep } from "./retry.js";

/** Some changes, to be put into a copy together with their cursor, in one transaction of the copy's own. */
export interface ChangeBatch {
  items: Change[];
  /** Keep it with the copy: the next `since`. */
  cursor: string;
  /** Empty the copy before: this is the beginning of everything, or the cursor had become too old. */
  reset: boolean;
}

/** How to follow. */
export interface FollowOptions {
  /** The cursor of the last batch; without one everything comes first. */
  since?: string | null | undefined;
  /** Go on asking when everything has come; true when left out. */
  follow?: boolean;
  /** Milliseconds between two questions then, a minute when left out. */
  interval?: number;
  /** Ends the loop, quietly. */
  signal?: AbortSignal;
}

/** What changed, batch by batch: `for await (const batch of followChanges(client, { since })) ...`. */
export interface ChangeFeed extends AsyncIterable<ChangeBatch> {
  /** Ask at once: the app came to the front, or a push message arrived. */
  lookNow(): void;
}

/**
 * Follow the change feed. The next question is asked when the loop comes back for it, so a batch that was put away is
 * never asked for again, and one that was not comes again. While there is no network, or the service is unwell or says when to
 * come again, it waits; a cursor that is too old begins anew, with `reset`.
 *
 * @throws ApiError - what asking again does not mend, such as 401.
 */
export function followChanges(client: Client, options: FollowOptions = {}): ChangeFeed {
  const { follow = true, interval = 60_000, signal } = options;
  let wake: AbortController | undefined;
  let wanted = false;

  async function* batches(): AsyncGenerator<ChangeBatch, void, void> {
    let since = options.since ?? undefined;
    while (!signal?.aborted) {
      wanted = false;
      const page = await ask(since);
      if (page === "too_old") {
        since = undefined;
        continue;
      }
      if (typeof page === "object") {
        yield { items: page.items, cursor: page.next_cursor, reset: since === undefined };
        since = page.next_cursor;
        if (page.has_more) continue;
        if (!follow) return;
      }
      await rest(typeof page === "number" ? Math.max(page, interval) : interval);
    }
  }

  /** @returns Milliseconds to wait, where there is no page. */
  async function ask(since: string | undefined) {
    const query = { limit: 100, ...(since === undefined ? {} : { since }) };
    try {
      return await listProjectChanges({ client, query, ...(signal ? { signal } : {}) });
    } catch (error) {
      if (signal?.aborted) return 0;
      if (isApiError(error, "resync_required") && since !== undefined) return "too_old" as const;
      if (follow && isPassing(error)) return (error.retryAfter ?? 0) * 1000;
      throw error;
    }
  }

  async function rest(milliseconds: number): Promise<void> {
    // Somebody wanted to look while we were asking, perhaps for what had come a moment too late.
    if (signal?.aborted || wanted) return;
    wake = new AbortController();
    const stop = () => wake?.abort();
    signal?.addEventListener("abort", stop, { once: true });
    await sleep(milliseconds, wake.signal).catch(() => {});
    signal?.removeEventListener("abort", stop);
  }

  const lookNow = () => {
    wanted = true;
    wake?.abort();
  };
  return { [Symbol.asyncIterator]: batches, lookNow };
}

/** Whether waiting helps: no network, too much asked, or the service is unwell. */
function isPassing(error: unknown): error is ApiError {
  return isApiError(error) && (error.isNetworkError || error.status === 429 || error.status >= 500);
}

/** A copy that an app keeps, in SQLite for one. */
export interface Copy {
  /** The cursor of the last batch that it took, null at first. */
  cursor(): Promise<string | null>;
  /** Empty the copy if `reset` says so, take the items and the cursor: all of it or nothing. */
  apply(batch: ChangeBatch): Promise<void>;
}

/**
 * Bring a copy up to date, once.
 *
 * @throws ApiError - as {@link followChanges} does, and when there is no network. The copy is good up to there.
 */
export async function catchUp(client: Client, copy: Copy, signal?: AbortSignal): Promise<void> {
  const since = await copy.cursor();
  const options = { since, follow: false, ...(signal ? { signal } : {}) };
  for await (const batch of followChanges(client, options)) await copy.apply(batch);
}
