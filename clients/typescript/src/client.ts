import { type Call, prepare, sending } from "./calls.js";
import { errorOf } from "./errors.js";
import { type Client, createClient, createConfig } from "./generated/client/index.js";
import type { User } from "./generated/types.gen.js";
import type { TokenTransport } from "./refreshing.js";
import { DEFAULT_POLICY, type RetryPolicy } from "./retry.js";
import { Session, type SignedOutReason } from "./session.js";
import { memoryStore, type TokenStore, watched } from "./stores.js";

/** What an instance is made of. */
export interface HoldfastOptions {
  /** The address of the API, ending in `/api/v1`. */
  baseUrl: string;
  /** `cookie` for web apps, `body` for phones and scripts. */
  transport: TokenTransport;
  /** Where tokens are kept; in memory when left out, which on the web is enough. */
  tokenStore?: TokenStore;
  /** In the place of the global `fetch`. */
  fetch?: typeof fetch;
  /** What the server's log and the list of sessions show of this app. */
  clientInfo?: { platform?: "ios" | "android" | "web" | (string & {}); version?: string; deviceName?: string };
  /** Tries and times, in the place of {@link DEFAULT_POLICY}. */
  retry?: Partial<RetryPolicy>;
  /** Nobody is signed in any more: show the sign-in screen. */
  onSignedOut?: (reason: SignedOutReason) => void;
  /** Another tab has signed somebody else in. Calls fail with `user_changed` until the page is loaded anew, or `resume()`. */
  onUserChanged?: (user: { id: string }) => void;
}

/** One app's, or on a server one request's, connection to the service. */
export interface Holdfast {
  /** What the functions of the API take: `getProject({ client, path: { project_id } })`. */
  readonly client: Client;
  /** Who is signed in, as the last answer with tokens showed them; `getMe` has the newest. */
  readonly user: User | null;
  /**
   * Find out who is signed in, at the start of the app: by the cookie, or by the token that is kept.
   *
   * @returns null when nobody is.
   * @throws ApiError - `isNetworkError` when offline: the person may be signed in, ask again later.
   */
  resume(): Promise<User | null>;
  /**
   * End the session of this instance: here and in the other tabs at once, at the service within five seconds.
   *
   * @throws ApiError - with a cookie, when the service could not be told: the session is forgotten all the same, but the
   * cookie stays in the browser, so let people try again. With the transport `body` only `store_failed`.
   */
  signOut(): Promise<void>;
  /** The access token for requests that this package does not make; undefined when nobody is signed in. */
  accessToken(): Promise<string | undefined>;
  /** Get another one after `token_expired` or `token_invalid`; `used` is the refused one. */
  renew(used: string): Promise<void>;
  /** Stop listening to other tabs; in tests, and where an app makes several instances. */
  close(): void;
}

/** An instance of its own: nothing is shared with others but what they are given, such as a token store. */
export function createHoldfast(options: HoldfastOptions): Holdfast {
  const { transport, clientInfo = {} } = options;
  const store = watched(options.tokenStore ?? memoryStore());
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const policy = { ...DEFAULT_POLICY, ...options.retry };
  if (!/\/api\/v\d+$/.test(baseUrl)) console.warn(`@holdfast/client: the baseUrl ${baseUrl} does not end in /api/v1.`);
  const fetch: typeof globalThis.fetch = (input, init) => (options.fetch ?? globalThis.fetch)(input, init);
  const headers: Record<string, string> = {
    ...(clientInfo.platform ? { "X-Client-Platform": clientInfo.platform } : {}),
    ...(clientInfo.version ? { "X-Client-Version": clientInfo.version } : {}),
  };
  const { onSignedOut, onUserChanged } = options;
  const session = new Session({ baseUrl, transport, store, fetch, policy, headers, onSignedOut, onUserChanged });

  const client = createClient(
    createConfig({
      baseUrl,
      headers,
      credentials: transport === "cookie" ? "include" : "omit",
      throwOnError: true,
      fetch,
      requestValidator: async (options) => {
        const call = options as Call;
        call.fetch = sending(call, session, policy);
        await prepare(call, { transport, store, deviceName: clientInfo.deviceName });
      },
    }),
  );
  client.interceptors.error.use((error, response) => ((response as Response | undefined) ? errorOf(response, error) : error));

  return {
    client,
    get user() {
      return session.user;
    },
    resume: () => session.resume(),
    signOut: () => session.signOut(),
    accessToken: async () => (await session.grant())?.access_token,
    renew: (used) => session.renew(used),
    close: () => session.close(),
  };
}
