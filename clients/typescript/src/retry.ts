import { ApiError, networkError, secondsOf } from "./errors.js";

/** How long we wait, and how often we try. */
export interface RetryPolicy {
  /** Tries in all, 1 for none again. */
  attempts: number;
  /** Milliseconds until an answer must have come, for each try. */
  timeout: number;
  /** The longest `Retry-After` in milliseconds that is waited for; with a longer one the answer is handed on. */
  longestWait: number;
}

/** Five tries within about six seconds, thirty seconds for each. */
export const DEFAULT_POLICY: RetryPolicy = { attempts: 5, timeout: 30_000, longestWait: 60_000 };

const SAFE = ["GET", "HEAD", "OPTIONS"];
const PASSING = [429, 502, 503, 504];
const WITHOUT_BODY = [204, 205, 304];
const FIRST_WAIT = 400;

/** Whether sending a request twice does no more than sending it once: by its method, or by its `Idempotency-Key`. */
export function isRepeatable(request: Request): boolean {
  return SAFE.includes(request.method) || request.headers.has("Idempotency-Key");
}

/**
 * Send a request, again where that can help and does no harm: no connection, too late, 429, 502 to 504, and while the
 * first of two equal writes still runs. Waits as long as `Retry-After` says, else 0.4 s, 0.8 s ..., with chance in it.
 *
 * @param repeatable - Whether it may be sent twice; by default what {@link isRepeatable} says.
 * @returns The last answer, whatever its status. JSON has arrived whole.
 * @throws ApiError - `network_error` or `timeout`, when no try got an answer.
 * @throws The signal's reason, when the caller aborted.
 */
export async function send(
  fetch: typeof globalThis.fetch,
  request: Request,
  policy: RetryPolicy,
  repeatable = isRepeatable(request),
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const again = repeatable && attempt < policy.attempts;
    let wait = backoff(attempt);
    try {
      const response = await once(fetch, again ? request.clone() : request, policy.timeout);
      const asked = secondsOf(response.headers.get("Retry-After"));
      if (!again || !isPassing(response.status, asked)) return response;
      if (asked) wait = asked * 1000 * (1 + Math.random() / 4);
      if (wait > policy.longestWait) return response;
    } catch (error) {
      if (!again || !(error instanceof ApiError)) throw error;
    }
    await sleep(wait, request.signal);
  }
}

/** Wait; an abort ends it by throwing the signal's reason. */
export function sleep(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Why a signal was aborted; React Native's signals do not tell. */
export function reasonOf(signal?: AbortSignal | null): unknown {
  return signal?.reason ?? Object.assign(new Error("The request was aborted."), { name: "AbortError" });
}

function isPassing(status: number, asked: number | undefined): boolean {
  // 409 with Retry-After is `request_in_progress`: our first try arrived and still runs.
  return PASSING.includes(status) || (status === 409 && asked !== undefined);
}

function backoff(attempt: number): number {
  return FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}

/** One try. React Native has neither `AbortSignal.timeout` nor `AbortSignal.any`, hence the controller. */
async function once(fetch: typeof globalThis.fetch, request: Request, timeout: number): Promise<Response> {
  const controller = new AbortController();
  const theirs = request.signal as AbortSignal | null;
  const abort = () => controller.abort(reasonOf(theirs));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeout);
  try {
    if (theirs?.aborted) throw reasonOf(theirs);
    theirs?.addEventListener("abort", abort, { once: true });
    const response = await fetch(request, { signal: controller.signal });
    if (!/json/.test(response.headers.get("Content-Type") ?? "")) return response;
    // A connection that breaks within the answer counts as one that broke before it.
    const text = await response.text();
    theirs?.removeEventListener("abort", abort);
    const { status, statusText, headers } = response;
    return new Response(WITHOUT_BODY.includes(status) ? null : text, { status, statusText, headers });
  } catch (error) {
    if (theirs?.aborted) throw reasonOf(theirs);
    const seconds = Math.round(timeout / 1000);
    throw late
      ? new ApiError({ code: "timeout", detail: `No answer came within ${seconds} s.` }, { cause: error })
      : networkError(error);
  } finally {
    clearTimeout(timer);
  }
}
