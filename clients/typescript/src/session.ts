import { ApiError } from "./errors.js";
import type { SignedIn, User } from "./generated/types.gen.js";
import { endSession, isNobody, isRefusal, nobody, refresh, type Refreshing } from "./refreshing.js";
import { DEVICE_TOKEN, REFRESH_TOKEN } from "./stores.js";
import { openTabs, type TabMessage, type Tabs } from "./tabs.js";

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
export interface SessionOptions extends Refreshing {
  /** Nobody is signed in any more. */
  onSignedOut?: ((reason: SignedOutReason) => void) | undefined;
  /** Another tab has signed somebody else in. */
  onUserChanged?: ((user: { id: string }) => void) | undefined;
}

type State = "unknown" | "signed_in" | "signed_out" | "other_user";

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
    this.#tabs = openTabs(`holdfast ${options.baseUrl}`, (message) => this.#hear(message));
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
      if (!isRefusal(error)) throw error;
    });
    return this.#access;
  }

  /**
   * Get a new access token in the place of one that has expired. All callers wait for the same refresh.
   *
   * @param used - The expired one; where a newer one is there already, nothing is asked.
   * @throws ApiError - 401 when nobody is signed in any more; `user_changed`; that the service could not be asked.
   */
  async renew(used: string | undefined): Promise<void> {
    if (this.#state === "other_user") throw userChanged();
    if (this.#state === "signed_out") throw nobody();
    if (this.#access && this.#access !== used) return;
    this.#renewing ??= this.#refresh().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** Find out anew who is signed in; see `Holdfast.resume`. */
  async resume(): Promise<User | null> {
    await this.#renewing?.catch(() => {});
    this.#set("unknown");
    await this.accessToken();
    return this.user;
  }

  /** Go on with the tokens of an answer: first kept, then used, since their use ends the ones before. */
  async adopt(signedIn: SignedIn): Promise<void> {
    const { store, transport } = this.#options;
    if (transport === "body" && signedIn.refresh_token) await store.set(REFRESH_TOKEN, signedIn.refresh_token);
    if (signedIn.device_token) await store.set(DEVICE_TOKEN, signedIn.device_token);
    this.#set("signed_in", signedIn);
    this.#tabs.tell({ kind: "signed_in", userId: signedIn.user.id });
  }

  /** The access token was refused for another reason than its age: the next request begins with a refresh. */
  forgetAccess(used: string | undefined): void {
    if (this.#access === used) this.#access = undefined;
  }

  /** The session is over. Kept tokens stay: only `/auth/refresh` can tell that they are worth nothing. */
  end(reason: SignedOutReason, told = this.#state !== "signed_out"): void {
    this.#set("signed_out");
    if (told) this.#options.onSignedOut?.(reason);
  }

  /** Sign out; see `Holdfast.signOut`. */
  async signOut(): Promise<void> {
    await this.#renewing?.catch(() => {});
    try {
      await endSession(this.#options, this.#access);
    } finally {
      this.end("signed_out");
      this.#tabs.tell({ kind: "signed_out" });
    }
  }

  close(): void {
    this.#tabs.close();
  }

  async #refresh(): Promise<void> {
    const signedIn = await refresh(this.#options, this.#tabs.exclusively).catch((error: unknown) => {
      // At the start of an app that nobody had signed in to, there is nothing to tell.
      const told = this.#state === "signed_in" || (this.#options.transport === "body" && !isNobody(error));
      if (isRefusal(error)) this.end(error.code, told);
      throw error;
    });
    if (this.user && this.user.id !== signedIn.user.id) {
      this.#meet(signedIn.user);
      throw userChanged();
    }
    this.#set("signed_in", signedIn);
  }

  /** Tabs share a cookie; with the transport `body` each may have a session of its own. */
  #hear(message: TabMessage): void {
    if (this.#options.transport !== "cookie" || this.#state !== "signed_in") return;
    if (message.kind === "signed_out") this.end("signed_out_elsewhere");
    else if (message.userId !== this.user?.id) this.#meet({ id: message.userId });
  }

  #meet(user: { id: string }): void {
    this.#set("other_user");
    this.#options.onUserChanged?.(user);
  }

  #set(state: State, signedIn?: SignedIn): void {
    this.#state = state;
    this.user = signedIn?.user ?? null;
    this.#access = signedIn?.access_token;
  }
}

function userChanged(): ApiError {
  const detail = "Somebody else has signed in. Load the page anew.";
  return new ApiError({ code: "user_changed", detail });
}
