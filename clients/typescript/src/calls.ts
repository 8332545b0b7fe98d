import { errorOf } from "./errors.js";
import { CHOOSE_TRANSPORT, GIVE_TOKENS, TAKE_KEY } from "./generated/operations.gen.js";
import type { SignedIn } from "./generated/types.gen.js";
import type { TokenTransport } from "./refreshing.js";
import { type RetryPolicy, send } from "./retry.js";
import type { Session } from "./session.js";
import { DEVICE_TOKEN, type TokenStore } from "./stores.js";

/** What the generated client is about to send. */
export interface Call {
  method: string;
  url: string;
  headers: Headers;
  body?: unknown;
}

/** How this device signs in. */
export interface Device {
  transport: TokenTransport;
  store: TokenStore;
  deviceName: string | undefined;
}

/** Add what the person who calls need not think of: a key for each write, and how this device signs in. */
export async function prepare(call: Call, { transport, store, deviceName }: Device): Promise<void> {
  const operation = `${call.method} ${call.url}`;
  if (TAKE_KEY.has(operation) && !call.headers.has("Idempotency-Key")) {
    call.headers.set("Idempotency-Key", freshKey());
  }
  const takes = CHOOSE_TRANSPORT[operation];
  if (!takes) return;
  const offered = { token_transport: transport, device_name: deviceName, device_token: await store.get(DEVICE_TOKEN) };
  const known = Object.entries(offered).filter(([name, value]) => value && takes.includes(name));
  call.body = { ...Object.fromEntries(known), ...(call.body as object) };
}

/**
 * Send a request; with an access token that has expired, once more with a new one.
 *
 * @throws ApiError - as {@link send} does, and what keeps the token from being renewed.
 */
export async function authorised(
  fetch: typeof globalThis.fetch,
  request: Request,
  session: Session,
  policy: RetryPolicy,
): Promise<Response> {
  const used = request.headers.get("Authorization")?.replace(/^Bearer /, "");
  // An API token that a script brought itself cannot be refreshed.
  if (!used || used.startsWith("hf_")) return send(fetch, request, policy);
  const spare = request.clone();
  const response = await send(fetch, request, policy);
  if (response.status !== 401) return response;
  const { code } = errorOf(response, await response.clone().json().catch(() => null));
  if (code === "session_revoked") session.end(code);
  if (code === "token_invalid") session.forgetAccess(used);
  if (code !== "token_expired") return response;
  await session.renew(used);
  spare.headers.set("Authorization", `Bearer ${await session.accessToken()}`);
  return send(fetch, spare, policy);
}

/** Take over the tokens of an answer, where its operation gives some. */
export async function adopt(session: Session, response: Response, { method, url }: Pick<Call, "method" | "url">): Promise<void> {
  if (!response.ok || !GIVE_TOKENS.has(`${method} ${url}`)) return;
  const answer = (await response.clone().json()) as SignedIn | { status: "mfa_required" } | { session: SignedIn | null };
  if ("session" in answer) {
    if (answer.session) await session.adopt(answer.session);
  } else if (answer.status === "signed_in") {
    await session.adopt(answer);
  }
}

/** A word that is not used twice; `crypto.randomUUID` is missing in React Native and on plain http. */
function freshKey(): string {
  const dice = () => Math.random().toString(36).slice(2);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${dice()}${dice()}`;
}
