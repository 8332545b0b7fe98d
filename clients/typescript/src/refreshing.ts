import { ApiError, errorOf, FOREIGN, networkError } from "./errors.js";
import type { SignedIn } from "./generated/types.gen.js";
import { isJson, limitsOf, type RetryPolicy, send } from "./retry.js";
import { REFRESH_TOKEN, type TokenStore } from "./stores.js";

/** How the refresh token travels: in a cookie that scripts cannot read (web), or in the body (phones, scripts). */
export type TokenTransport = "cookie" | "body";

/** How the two calls are made that speak of the refresh token. */
export interface Refreshing {
  baseUrl: string;
  transport: TokenTransport;
  store: TokenStore;
  fetch: typeof fetch;
  policy: RetryPolicy;
  headers: Record<string, string>;
}

/** Milliseconds for which somebody who leaves waits for the service. */
export const FAREWELL = 5000;

const NOBODY = "not_authenticated";
const REFUSALS = ["refresh_invalid", "refresh_reused", "session_expired", NOBODY];

/**
 * Buy the next pair of tokens. To be called while no other tab and no other instance with this store does.
 *
 * @param shared - What another instance got meanwhile: it is used where its token is the one in the store.
 * @throws ApiError - see {@link isRefusal}; anything else means that nobody knows, and that nothing was dropped.
 */
export async function exchange(options: Refreshing, shared?: SignedIn): Promise<SignedIn> {
  const { store, transport } = options;
  let token = await storedToken(options);
  if (transport === "body" && !token) throw nobody();
  if (token && shared?.refresh_token === token) return shared;
  for (;;) {
    const answer = await post(options, "/auth/refresh", token);
    // The page of a network may never end, and nobody waits for it.
    const body: unknown = isJson(answer) ? await answer.json().catch(() => null) : null;
    // Another process may write into the same Keychain: its token is the newer one, and gets its chance.
    const kept = await storedToken(options);
    if (answer.ok) {
      if (!isSignedIn(body, transport)) throw networkError(null, FOREIGN);
      if (token && !kept) throw nobody();
      if (token && kept === token) await store.set(REFRESH_TOKEN, body.refresh_token ?? token);
      if (kept === token || kept === body.refresh_token) return body;
    } else {
      const error = errorOf(answer, isProblem(answer) ? body : null);
      if (!isRefusal(error)) throw error;
      if (token && kept === token) await store.remove(REFRESH_TOKEN);
      if (kept === token || !kept) throw error;
    }
    token = kept;
  }
}

/**
 * Remove the token of a session from the store; that of another session stays.
 *
 * @param own - Some token of the session; whatever is kept where it is undefined.
 * @returns The newest one of the session.
 */
export async function forget(options: Refreshing, own?: string | null): Promise<string | null> {
  const kept = own === null ? null : await storedToken(options);
  if (!kept || (own && sessionOf(own) !== sessionOf(kept))) return own ?? null;
  await options.store.remove(REFRESH_TOKEN);
  return kept;
}

/**
 * Tell the service that a session ends.
 *
 * @param token - Its refresh token, where it is not in a cookie.
 * @param access - Its access token.
 * @throws ApiError - when the service could not be told.
 */
export async function endSession(options: Refreshing, token: string | null, access?: string): Promise<void> {
  const policy = { ...options.policy, timeout: FAREWELL, deadline: FAREWELL };
  const answer = await post({ ...options, policy }, "/auth/logout", token, access);
  if (!answer.ok) throw errorOf(answer, await answer.json().catch(() => null));
  if (answer.status !== 204) throw networkError(null, FOREIGN);
}

/** Which session a refresh token is of: `hfr1.<key>.<session>.<counter>.<mac>`. Others are taken for one. */
function sessionOf(token: string): string | undefined {
  return token.split(".")[2];
}

/** Both may be repeated: the same token gets the same answer. */
function post(options: Refreshing, path: string, token: string | null, access?: string): Promise<Response> {
  const { baseUrl, transport, fetch, policy, headers } = options;
  const request = new Request(baseUrl + path, {
    method: "POST",
    credentials: transport === "cookie" ? "include" : "omit",
    // Who signs out may close the page at once, and a cookie of an answer to a page that was left is kept all the same.
    keepalive: transport === "cookie",
    headers: {
      ...headers,
      "Content-Type": "application/json",
      "X-CSRF-Token": "1",
      ...(access ? { Authorization: `Bearer ${access}` } : {}),
    },
    body: JSON.stringify(token ? { refresh_token: token } : {}),
  });
  return send(fetch, request, limitsOf(policy), true);
}

function storedToken({ store, transport }: Refreshing): Promise<string | null> {
  return transport === "body" ? store.get(REFRESH_TOKEN) : Promise.resolve(null);
}

/** Whether this is what the service answers to a sign-in; the page of a network that wants to be paid is not. */
function isSignedIn(body: unknown, transport: TokenTransport): body is SignedIn {
  const { access_token, refresh_token, user } = (body ?? {}) as Partial<SignedIn>;
  const kept = transport === "cookie" || typeof refresh_token === "string";
  return typeof access_token === "string" && typeof user?.id === "string" && kept;
}

/** Only the service speaks of problems (RFC 9457); proxies have codes in their JSON as well. */
function isProblem(answer: Response): boolean {
  return /^application\/problem\+json/.test(answer.headers.get("Content-Type") ?? "");
}

/** Whether the service itself says that nobody is signed in; any other 401 says nothing. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401 && REFUSALS.includes(error.code);
}

/** Whether a new access token mends a refusal: the old one has expired, or the service does not know its key any more. */
export function isStale(code: string | undefined): boolean {
  return code === "token_expired" || code === "token_invalid";
}

/** There was no token to ask with. */
export function nobody(): ApiError {
  return new ApiError({ code: NOBODY, status: 401, detail: "Nobody is signed in." });
}

/** Whether there was no token to ask with: then nobody has been signed out. */
export function isNobody(error: unknown): boolean {
  return error instanceof ApiError && error.code === NOBODY;
}
