import { ApiError, errorOf, isApiError } from "./errors.js";
import type { SignedIn, User } from "./generated/types.gen.js";
import { type RetryPolicy, send } from "./retry.js";
import { DEVICE_TOKEN, REFRESH_TOKEN, type TokenStore } from "./stores.js";
import { openTabs, type Tabs } from "./tabs.js";

/** How the refresh token travels: in a cookie that scripts cannot read (web), or in the body (phones, scripts). */
export type TokenTransport = "cookie" | "body";

/**
 * Why nobody is signed in any more: codes of `/auth/refresh`, `session_revoked` where the session was ended elsewhere,
 * `signed_out` by this instance, `signed_out_elsewhere` by another tab.
 */
export type SignedOutReason =
  | "refresh_invalid"
  | "refresh_reused"
  | "session_expired"
  | "session_revoked"
  | "signed_out"
  | "signed_out_elsewhere"
  | (string & {});

/** What a session needs, and whom it tells. */
export interface SessionOptions {
  baseUrl: string;
  transport: TokenTransport;
  store: TokenStore;
  fetch: typeof fetch;
  policy: RetryPolicy;
  headers: Record<string, string>;
  /** Nobody is signed in any more. */
  onSignedOut?: ((reason: SignedOutReason) => void) | undefined;
  /** Another tab has signed somebody else in: show what is theirs, by loading the page anew or by `resume()`. */
  onUserChanged?: ((user: { id: string }) => void) | undefined;
}

const NOBODY = "not_authenticated";

type State = "unknown" | "signed_in" | "signed_out" | "other_user";

/** Refreshes under way, by store: instances that share one share its answer too. */
const flights = new WeakMap<TokenStore, Promise<SignedIn>>();

/** The tokens of one sign-in. One refresh at a time; a stored token is given up on a 401 from `/auth/refresh` alone. */
export class Session {
  /** Who is signed in, as the last answer with tokens showed them. */
  user: User | null = null;
  readonly #options: SessionOptions;
  readonly #tabs: Tabs;
  #state: State = "unknown";
  #access: string | undefined;
  #renewing: Promise<void> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#tabs = openTabs(`holdfast ${options.baseUrl}`, (message) => {
      if (this.#state !== "signed_in") return;
      if (message.kind === "signed_out") this.end("signed_out_elsewhere");
      else if (message.userId !== this.user?.id) this.#meet({ id: message.userId });
    });
  }

  /**
   * The access token to send; the first call of an instance fetches one, where there is a refresh token.
   *
   * @returns undefined when nobody is signed in.
   * @throws ApiError - `user_changed`, or that the service could not be asked.
   */
  async accessToken(): Promise<string | undefined> {
    if (this.#state === "other_user") throw userChanged();
    if (this.#access || this.#state === "signed_out") return this.#access;
    await this.renew(undefined).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    });
    return this.#access;
  }

  /**
   * Get a new access token in the place of one that has expired. All callers wait for the same refresh.
   *
   * @param used - The expired one; where a newer one is there already, nothing is asked.
   * @throws ApiError - 401 when nobody is signed in any more; `user_changed`; that the service could not be asked.
   */
  renew(used: string | undefined): Promise<void> {
    if (this.#access && this.#access !== used) return Promise.resolve();
    this.#renewing ??= this.#refresh().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** Find out anew who is signed in; see `Holdfast.resume`. */
  async resume(): Promise<User | null> {
    await this.#renewing?.catch(() => {});
    this.user = null;
    this.#access = undefined;
    this.#state = "unknown";
    await this.accessToken();
    return this.user;
  }

  /** Go on with the tokens of an answer: first kept, then used, since their use ends the ones before. */
  async adopt(signedIn: SignedIn): Promise<void> {
    const { store, transport } = this.#options;
    if (transport === "body" && signedIn.refresh_token) await store.set(REFRESH_TOKEN, signedIn.refresh_token);
    if (signedIn.device_token) await store.set(DEVICE_TOKEN, signedIn.device_token);
    this.#take(signedIn);
    this.#tabs.tell({ kind: "signed_in", userId: signedIn.user.id });
  }

  /** The access token was refused for another reason than its age: the next request begins with a refresh. */
  forgetAccess(used: string | undefined): void {
    if (this.#access === used) this.#access = undefined;
  }

  /** The session is over. Kept tokens stay: only `/auth/refresh` can tell that they are worth nothing. */
  end(reason: SignedOutReason, told = this.#state !== "signed_out"): void {
    this.user = null;
    this.#access = undefined;
    this.#state = "signed_out";
    if (told) this.#options.onSignedOut?.(reason);
  }

  /** Sign out; see `Holdfast.signOut`. */
  async signOut(): Promise<void> {
    await this.#renewing?.catch(() => {});
    const token = await this.#stored();
    const bearer = this.#access;
    try {
      const answer = await this.#post("/auth/logout", token, bearer);
      if (!answer.ok) throw errorOf(answer, await answer.json().catch(() => null));
    } finally {
      if (token) await this.#options.store.remove(REFRESH_TOKEN);
      this.end("signed_out");
      this.#tabs.tell({ kind: "signed_out" });
    }
  }

  close(): void {
    this.#tabs.close();
  }

  async #refresh(): Promise<void> {
    const { store, transport } = this.#options;
    let signedIn: SignedIn;
    try {
      let flight = transport === "body" ? flights.get(store) : undefined;
      if (!flight) {
        flight = this.#tabs.exclusively(() => this.#exchange());
        flights.set(store, flight);
        const landed = () => void (flights.get(store) === flight && flights.delete(store));
        flight.then(landed, landed);
      }
      signedIn = await flight;
    } catch (error) {
      // At the start of an app that nobody had signed in to, there is nothing to tell.
      const told = this.#state === "signed_in" || (transport === "body" && !isApiError(error, NOBODY));
      if (error instanceof ApiError && error.status === 401) this.end(error.code, told);
      throw error;
    }
    if (this.user && this.user.id !== signedIn.user.id) {
      this.#meet(signedIn.user);
      throw userChanged();
    }
    this.#take(signedIn);
  }

  /** Buy the next pair. A token that another instance has put there meanwhile gets its chance too. */
  async #exchange(): Promise<SignedIn> {
    const { store, transport } = this.#options;
    let token = await this.#stored();
    if (transport === "body" && !token) throw nobody();
    for (;;) {
      const answer = await this.#post("/auth/refresh", token);
      const body: unknown = await answer.json().catch(() => null);
      if (answer.ok) {
        const signedIn = body as SignedIn;
        if (token && signedIn.refresh_token) await store.set(REFRESH_TOKEN, signedIn.refresh_token);
        return signedIn;
      }
      const newer = answer.status === 401 ? await this.#stored() : token;
      if (newer && newer !== token) {
        token = newer;
        continue;
      }
      if (answer.status === 401 && token) await store.remove(REFRESH_TOKEN);
      throw errorOf(answer, body);
    }
  }

  /** Refreshing and signing out may be repeated: the same token gets the same answer. */
  #post(path: string, token: string | null, bearer?: string): Promise<Response> {
    const { baseUrl, transport, fetch, policy, headers } = this.#options;
    const request = new Request(baseUrl + path, {
      method: "POST",
      credentials: transport === "cookie" ? "include" : "omit",
      headers: {
        ...headers,
        "Content-Type": "application/json",
        "X-CSRF-Token": "1",
        ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
      },
      body: JSON.stringify(token ? { refresh_token: token } : {}),
    });
    return send(fetch, request, policy, true);
  }

  #stored(): Promise<string | null> {
    const { store, transport } = this.#options;
    return transport === "body" ? store.get(REFRESH_TOKEN) : Promise.resolve(null);
  }

  #take(signedIn: SignedIn): void {
    this.user = signedIn.user;
    this.#access = signedIn.access_token;
    this.#state = "signed_in";
  }

  #meet(user: { id: string }): void {
    this.user = null;
    this.#access = undefined;
    this.#state = "other_user";
    this.#options.onUserChanged?.(user);
  }
}

function userChanged(): ApiError {
  const detail = "Somebody else has signed in. Load the page anew.";
  return new ApiError({ code: "user_changed", detail });
}

function nobody(): ApiError {
  return new ApiError({ code: NOBODY, status: 401, detail: "Nobody is signed in." });
}
