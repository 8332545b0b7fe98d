import { ApiError, errorOf } from "./errors.js";
import type { SignedIn } from "./generated/types.gen.js";
import { type RetryPolicy, send } from "./retry.js";
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

const NOBODY = "not_authenticated";

/** Exchanges under way, by store: instances that share one share its answer too. */
const flights = new WeakMap<TokenStore, Promise<SignedIn>>();

/**
 * Buy the next pair of tokens, or wait for what another instance buys with the same store.
 *
 * @param exclusively - Keeps other tabs away meanwhile.
 * @throws ApiError - see {@link isRefusal}; anything else means that nobody knows, and that nothing was dropped.
 */
export function refresh(
  options: Refreshing,
  exclusively: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<SignedIn> {
  const { store, transport } = options;
  const under = transport === "body" ? flights.get(store) : undefined;
  if (under) return under;
  const flight = exclusively(() => exchange(options));
  flights.set(store, flight);
  const landed = () => void (flights.get(store) === flight && flights.delete(store));
  flight.then(landed, landed);
  return flight;
}

/** A token that another instance has put into the store meanwhile gets its chance too. */
async function exchange(options: Refreshing): Promise<SignedIn> {
  const { store, transport } = options;
  let token = await storedToken(options);
  if (transport === "body" && !token) throw nobody();
  for (;;) {
    const answer = await post(options, "/auth/refresh", token);
    const body: unknown = await answer.json().catch(() => null);
    if (answer.ok) {
      const signedIn = body as SignedIn;
      if (token && signedIn.refresh_token) await store.set(REFRESH_TOKEN, signedIn.refresh_token);
      return signedIn;
    }
    const error = errorOf(answer, body);
    if (!isRefusal(error)) throw error;
    const newer = await storedToken(options);
    if (newer === token && token) await store.remove(REFRESH_TOKEN);
    if (newer === token || !newer) throw error;
    token = newer;
  }
}

/**
 * Tell the service that the session ends, and forget its token, whatever the service says.
 *
 * @param access - The access token, which names the session where there is no other.
 * @throws ApiError - when the service could not be told.
 */
export async function endSession(options: Refreshing, access: string | undefined): Promise<void> {
  const token = await storedToken(options);
  try {
    const answer = await post(options, "/auth/logout", token, access);
    if (!answer.ok) throw errorOf(answer, await answer.json().catch(() => null));
  } finally {
    if (token) await options.store.remove(REFRESH_TOKEN);
  }
}

/** Both may be repeated: the same token gets the same answer. */
function post(options: Refreshing, path: string, token: string | null, access?: string): Promise<Response> {
  const { baseUrl, transport, fetch, policy, headers } = options;
  const request = new Request(baseUrl + path, {
    method: "POST",
    credentials: transport === "cookie" ? "include" : "omit",
    headers: {
      ...headers,
      "Content-Type": "application/json",
      "X-CSRF-Token": "1",
      ...(access ? { Authorization: `Bearer ${access}` } : {}),
    },
    body: JSON.stringify(token ? { refresh_token: token } : {}),
  });
  return send(fetch, request, policy, true);
}

function storedToken({ store, transport }: Refreshing): Promise<string | null> {
  return transport === "body" ? store.get(REFRESH_TOKEN) : Promise.resolve(null);
}

/** Whether the service itself says that nobody is signed in; a 401 of some proxy says nothing. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401 && !error.code.startsWith("http_");
}

/** There was no token to ask with. */
export function nobody(): ApiError {
  return new ApiError({ code: NOBODY, status: 401, detail: "Nobody is signed in." });
}

/** Whether there was no token to ask with: then nobody has been signed out. */
export function isNobody(error: unknown): boolean {
  return error instanceof ApiError && error.code === NOBODY;
}
