import { blobOf } from "./bodies.js";
import { ApiError, DAMAGED, networkError, secondsOf } from "./errors.js";

/** How long we wait, and how often we try. */
export interface RetryPolicy {
  /** Tries in all, 1 for none again. */
  attempts: number;
  /** Milliseconds until an answer must have come, for each try. */
  timeout: number;
  /** Milliseconds for a call in all: its tries, the waits between them, and the wait for a new token. */
  deadline: number;
  /** The longest `Retry-After` in milliseconds that is waited for; with a longer one the answer is handed on. */
  longestWait: number;
}

/** Five tries within about six seconds, thirty seconds for each, two minutes for all. */
export const DEFAULT_POLICY: RetryPolicy = { attempts: 5, timeout: 30_000, deadline: 120_000, longestWait: 60_000 };

/** The policy of one call that has begun. */
export interface Limits extends RetryPolicy {
  /** When it must be over, as `Date.now()` counts. */
  until: number;
  /** What comes; JSON when left out. A file may take as long as its bytes keep coming; a stream is read by the caller. */
  wants?: "json" | "file" | "stream";
}

const SAFE = ["GET", "HEAD", "OPTIONS"];
const PASSING = [429, 502, 503, 504];
const WITHOUT_BODY = [204, 205, 304];
const FIRST_WAIT = 400;
/** Timers take a longer time for none at all. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Start the clock of a call.
 *
 * @param own - What the call wants otherwise. A longer timeout moves the deadline along.
 */
export function limitsOf(policy: RetryPolicy, own: { timeout?: number; deadline?: number } = {}): Limits {
  const timeout = own.timeout ?? policy.timeout;
  const deadline = own.deadline ?? Math.max(policy.deadline, timeout);
  return { ...policy, timeout, deadline, until: Date.now() + deadline };
}

/** Whether sending a request twice does no more than sending it once: by its method, or by its `Idempotency-Key`. */
export function isRepeatable(request: Request): boolean {
  return SAFE.includes(request.method) || request.headers.has("Idempotency-Key");
}

/**
 * Send a request, again where that can help and does no harm: no connection, too late, 429, 502 to 504, and while the
 * first of two equal writes still runs. Waits as long as `Retry-After` says, else 0.4 s, 0.8 s ..., with chance in it.
 *
 * @param repeatable - Whether it may be sent twice; by default what {@link isRepeatable} says.
 * @returns The last answer, whatever its status. JSON, files and refusals have arrived whole.
 * @throws ApiError - `network_error` or `timeout`, when no try got an answer.
 * @throws The signal's reason, when the caller aborted.
 */
export async function send(
  fetch: typeof globalThis.fetch,
  request: Request,
  limits: Limits,
  repeatable = isRepeatable(request),
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const again = repeatable && attempt < limits.attempts;
    let wait = backoff(attempt);
    try {
      const response = await once(fetch, again ? request.clone() : request, limits);
      const asked = secondsOf(response.headers.get("Retry-After"));
      if (!again || !isPassing(response.status, asked)) return response;
      if (asked) wait = asked * 1000 * (1 + Math.random() / 4);
      if (wait > limits.longestWait || Date.now() + wait > limits.until) return response;
    } catch (error) {
      if (!again || !(error instanceof ApiError) || Date.now() + wait > limits.until) throw error;
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
    const done = () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Wait for something that others wait for too: it goes on when this caller's time is over.
 *
 * @throws ApiError - `timeout`. An abort throws the signal's reason.
 */
export async function within<T>(work: Promise<T>, { until }: Pick<Limits, "until">, signal?: AbortSignal | null): Promise<T> {
  const over = new AbortController();
  const leave = () => over.abort();
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  const timer = setTimeout(leave, Math.min(Math.max(0, until - Date.now()), LONGEST_TIMER));
  try {
    return await Promise.race([work, ending(over.signal)]);
  } catch (error) {
    if (!over.signal.aborted) throw error;
    throw signal?.aborted ? reasonOf(signal) : tooLate();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
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

function ending(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(reasonOf(signal));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/** The error of a request whose time is over. */
export function tooLate(cause?: unknown): ApiError {
  return new ApiError({ code: "timeout", detail: "No answer came in time." }, { cause });
}

/** One try. React Native has neither `AbortSignal.timeout` nor `AbortSignal.any`, hence the controller. */
async function once(fetch: typeof globalThis.fetch, request: Request, limits: Limits): Promise<Response> {
  const controller = new AbortController();
  const theirs = request.signal as AbortSignal | null;
  if (theirs?.aborted) throw reasonOf(theirs);
  const patience = Math.min(limits.timeout, limits.until - Date.now(), LONGEST_TIMER);
  if (patience <= 0) throw tooLate();
  const abort = () => controller.abort(reasonOf(theirs));
  let late = false;
  const startClock = (milliseconds: number) =>
    setTimeout(() => {
      late = true;
      controller.abort();
    }, milliseconds);
  let timer = startClock(patience);
  const goOn = () => {
    clearTimeout(timer);
    timer = startClock(Math.min(limits.timeout, LONGEST_TIMER));
  };
  // A fetch that is deaf to its signal must not keep those who wait behind it.
  const ended = ending(controller.signal);
  try {
    theirs?.addEventListener("abort", abort, { once: true });
    const response = await Promise.race([fetch(request, { signal: controller.signal }), ended]);
    const { ok, status, statusText, headers } = response;
    const isFile = ok && limits.wants === "file";
    // Whoever wants it streams it, and nobody reads a page in the place of an answer. A refusal is read, and must not stall.
    if (ok && !isFile && (limits.wants === "stream" || !isJson(response))) return response;
    // A connection that breaks within the answer counts as one that broke before it.
    const body = await Promise.race([isFile ? blobOf(response, goOn) : response.text(), ended]);
    theirs?.removeEventListener("abort", abort);
    const bare = WITHOUT_BODY.includes(status);
    if (typeof body === "string" && ok && !bare && request.method !== "HEAD") JSON.parse(body);
    return new Response(bare ? null : body, { status, statusText, headers });
  } catch (error) {
    if (theirs?.aborted) throw reasonOf(theirs);
    if (late) throw tooLate(error);
    throw error instanceof SyntaxError ? networkError(error, DAMAGED) : networkError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether an answer says that it is JSON, a problem included. */
export function isJson(response: Response): boolean {
  return /json/.test(response.headers.get("Content-Type") ?? "");
}
