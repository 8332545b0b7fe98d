import { errorOf, FOREIGN, networkError } from "./errors.js";
import { CHOOSE_TRANSPORT, GIVE_FILES, GIVE_TOKENS, TAKE_KEY } from "./generated/operations.gen.js";
import type { SignedIn } from "./generated/types.gen.js";
import { isStale, type TokenTransport } from "./refreshing.js";
import { isJson, limitsOf, type RetryPolicy, send } from "./retry.js";
import type { Session } from "./session.js";
import { DEVICE_TOKEN, type TokenStore } from "./stores.js";

/** How often a call is sent with tokens that turn out to be stale. */
const ROUNDS = 3;

/** What the generated client is about to send. */
export interface Call {
  method: string;
  url: string;
  headers: Headers;
  body?: unknown;
  fetch: (request: Request) => Promise<Response>;
  security?: readonly unknown[];
  parseAs?: string;
  /** A call's own times, by `meta: { timeout: 60_000 }`. */
  meta?: { timeout?: number; deadline?: number };
}

/** How this device signs in. */
export interface Device {
  transport: TokenTransport;
  store: TokenStore;
  deviceName: string | undefined;
}

/** Add what the person who calls need not think of: a key for each write, and how this device signs in. */
export async function prepare(call: Call, { transport, store, deviceName }: Device): Promise<void> {
  const operation = nameOf(call);
  if (TAKE_KEY.has(operation) && !call.headers.has("Idempotency-Key")) {
    call.headers.set("Idempotency-Key", freshKey());
  }
  // A file is a blob, as its type says, whatever is in it.
  if (GIVE_FILES.has(operation) && (call.parseAs ?? "auto") === "auto") call.parseAs = "blob";
  const takes = CHOOSE_TRANSPORT[operation];
  if (!takes) return;
  const offered = { token_transport: transport, device_name: deviceName, device_token: await store.get(DEVICE_TOKEN) };
  const known = Object.entries(offered).filter(([name, value]) => value && takes.includes(name));
  call.body = { ...Object.fromEntries(known), ...(call.body as object) };
}

/**
 * What sends a call in the place of its `fetch`: with the tokens of who began it, and where their access token is stale
 * again with a new one of theirs. Tokens in the answer are taken over; calls that give some take turns.
 *
 * @returns A function that throws as {@link send} does, what keeps the token from being renewed, and `network_error` for an
 * answer that is not the service's.
 */
export function sending(call: Call, session: Session, policy: RetryPolicy): (request: Request) => Promise<Response> {
  const isFile = GIVE_FILES.has(nameOf(call));
  const limits = limitsOf(policy, call.meta);
  if (isFile) limits.wants = call.parseAs === "stream" ? "stream" : "file";
  const { fetch } = call;
  const gives = GIVE_TOKENS.has(nameOf(call));

  async function once(request: Request): Promise<Response> {
    const response = await send(fetch as typeof globalThis.fetch, request, limits);
    if (isForeign(call, response)) throw networkError(null, FOREIGN);
    return response;
  }

  return async (request) => {
    const patience = { limits, signal: request.signal };
    if (request.signal?.aborted) return once(request); // which throws the reason, and begins nothing
    // A token that the caller brought is none of the session's: nothing is refreshed for it.
    const isOurs = call.security?.length && !request.headers.has("Authorization");
    const grant = isOurs ? await session.grant(patience) : undefined;

    let tokens = grant;

    const attempt = (sent: Request) => {
      if (tokens) sent.headers.set("Authorization", `Bearer ${tokens.access_token}`);
      return once(sent);
    };
    const inTurn = (sent: Request) =>
      session.turn(async () => {
        // Those before may have replaced what was fetched before the wait.
        if (grant) tokens = session.insist(grant) ?? tokens;
        const response = await attempt(sent);
        const given = await tokensOf(response);
        // The answer may have more than tokens, such as recovery codes: it is theirs, whoever is signed in by now.
        if (given && (!grant || session.isStill(grant.user))) await session.adopt(given);
        return response;
      }, patience);

    for (let round = 1; ; round++) {
      const sent = grant ? request.clone() : request;
      const response = await (gives ? inTurn(sent) : attempt(sent));
      if (!grant || !tokens || response.status !== 401) return response;
      const { code } = errorOf(response, await response.clone().json().catch(() => null));
      if (code === "session_revoked") session.revoked(tokens);
      // The new one may be replaced at once as well, by a step-up in another tab.
      if (!isStale(code) || round === ROUNDS) return response;
      session.insist(grant);
      await session.renew(tokens.access_token, patience);
      await session.grant(patience);
      tokens = session.insist(grant) ?? tokens;
    }
  };
}

/** The tokens of an answer whose operation gives some; null where a second step comes first. */
async function tokensOf(response: Response): Promise<SignedIn | null> {
  if (!response.ok) return null;
  const answer = ((await response.clone().json()) ?? {}) as Partial<SignedIn> | { session: SignedIn | null };
  if ("session" in answer) return answer.session;
  if (!("status" in answer)) throw networkError(null, FOREIGN);
  return answer.status === "signed_in" ? (answer as SignedIn) : null;
}

/** The page of a network that wants to be paid comes with 200 as well. */
function isForeign(call: Call, response: Response): boolean {
  const wantsJson = !GIVE_FILES.has(nameOf(call)) && ["auto", "json"].includes(call.parseAs ?? "auto");
  return response.ok && response.status !== 204 && wantsJson && !isJson(response);
}

function nameOf({ method, url }: Call): string {
  return `${method} ${url}`;
}

/** A word that is not used twice; `crypto.randomUUID` is missing in React Native and on plain http. */
function freshKey(): string {
  const dice = () => Math.random().toString(36).slice(2);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${dice()}${dice()}`;
}
