import type { FieldProblem, Problem } from "./generated/types.gen.js";

/**
 * Why a call failed: the codes of the service, and our own for what never reached it, for a person who has gone, for a
 * token store that fails, and for refusals of something that is not the service, such as `http_502`. New codes may come with any release of the service, so a
 * `switch` needs a `default`.
 */
export type ErrorCode =
  | Problem["code"]
  | "network_error"
  | "timeout"
  | "user_changed"
  | "store_failed"
  | `http_${number}`
  | (string & {});

/** A refused field as React Hook Form wants it: `setError(name, { type, message })`. */
export interface FieldError {
  /** Dotted, as React Hook Form names fields. */
  name: string;
  /** The rule, such as `too_short`; translate by it. */
  type: FieldProblem["code"] | (string & {});
  /** English, safe to show. */
  message: string;
  /** The rule's figures, such as `{ min: 12 }`. */
  params: Record<string, unknown>;
}

/**
 * What every call of this package throws when it fails, but for an abort by the caller, whose own reason is thrown.
 *
 * Members of the problem (`detail`, `errors`, `request_id` ...) are members of the error too, so that the error types
 * of the generated code hold.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;

  /**
   * @param problem - What the service said (RFC 9457), or what we say in its place.
   * @param options - `cause`: what was thrown underneath.
   */
  constructor(
    readonly problem: Omit<Partial<Problem>, "code"> & { code: string },
    options?: { cause?: unknown },
  ) {
    super(problem.detail ?? problem.title ?? problem.code, options);
    // What is ours comes first, whatever a problem of tomorrow calls its members.
    for (const [name, value] of Object.entries(problem)) if (!(name in this)) Object.assign(this, { [name]: value });
    this.code = problem.code;
    this.status = problem.status ?? 0;
  }

  /** The refused fields of a form, empty where it is about something else. */
  get fieldErrors(): FieldError[] {
    const { errors } = this.problem;
    if (!Array.isArray(errors)) return [];
    const known = errors.filter((each) => typeof each?.field === "string");
    return known.map(({ field, code, detail, params }) => ({ name: field, type: code, message: detail, params }));
  }

  /** Finds the request in the service's log: show it beside what you cannot explain. */
  get requestId(): string | undefined {
    return this.problem.request_id;
  }

  /** Seconds after which another try makes sense. */
  get retryAfter(): number | undefined {
    return this.problem.retry_after;
  }

  /** With `version_conflict`: the resource as it is now. */
  get current(): unknown {
    return this.problem.current;
  }

  /** Whether no answer came: no network, too late, or not the service's own. What was asked for may have happened. */
  get isNetworkError(): boolean {
    return this.code === "network_error" || this.code === "timeout";
  }
}

/** Whether something that was caught is an error of this package; with `code`, one of that kind. */
export function isApiError(error: unknown, code?: ErrorCode): error is ApiError {
  return error instanceof ApiError && (code === undefined || error.code === code);
}

/**
 * The error of an answer that is none of the 2xx.
 *
 * @param body - The parsed body. A proxy may have answered in place of the service: anything is taken.
 */
export function errorOf(response: Response, body: unknown): ApiError {
  const { status, statusText, headers } = response;
  const waits = secondsOf(headers.get("Retry-After"));
  const made = {
    code: `http_${status}`,
    status,
    detail: `The server answered ${status} ${statusText}`.trim(),
    ...(waits === undefined ? {} : { retry_after: waits }),
    ...requestIdOf(headers),
  };
  return new ApiError(isProblem(body) ? { ...made, ...body, status } : made);
}

/** What arrived says that it is JSON, and is not. */
export const DAMAGED = "The answer of the server arrived damaged.";
/** What arrived is none of the service's answers. */
export const FOREIGN = "Something else answered in the place of the server, such as the sign-in page of a network.";

/** The error of a request that got no answer, or none of the service's. */
export function networkError(cause: unknown, detail = "The server could not be reached."): ApiError {
  return new ApiError({ code: "network_error", title: "No connection", detail }, { cause });
}

/** The seconds of a `Retry-After`, which may be a date (RFC 9110, 10.2.3). */
export function secondsOf(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

function requestIdOf(headers: Headers): { request_id?: string } {
  const id = headers.get("X-Request-ID");
  return id ? { request_id: id } : {};
}

/** The person who began something has gone: another one is signed in, or another tab says so. */
export function userChanged(): ApiError {
  return new ApiError({ code: "user_changed", detail: "Somebody else has signed in. Load the page anew." });
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}
