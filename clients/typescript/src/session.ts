import { userChanged } from "./errors.js";
import type { SignedIn, User } from "./generated/types.gen.js";
import { endSession, exchange, FAREWELL, forget, isNobody, isRefusal, nobody, type Refreshing } from "./refreshing.js";
import { within } from "./retry.js";
import { DEVICE_TOKEN, REFRESH_TOKEN } from "./stores.js";
import { openTabs, type TabMessage, type Tabs } from "./tabs.js";
import { Line, type Patience } from "./turns.js";

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

/**
 * The tokens of one sign-in. Whatever fetches, replaces or ends tokens has its turn; a stored token is given up on a refusal
 * of `/auth/refresh` alone.
 */
export class Session {
  /** Who is signed in, as the last answer with tokens showed them. */
  user: User | null = null;
  readonly #options: SessionOptions;
  readonly #tabs: Tabs;
  readonly #line: Line;
  #state: State = "unknown";
  #held: SignedIn | undefined;
  /** The last tokens of ours, which are still known when they are not held any more. */
  #own: SignedIn | undefined;
  /** Sign-outs that wait for their turn or have it. */
  #leaving = 0;
  #renewing: Promise<boolean> | null = null;
  /** Moves with each change; what was asked for before it is overtaken. */
  #era = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#line = Line.of(options.store);
    this.#tabs = openTabs(`holdfast ${options.baseUrl}`, (message) => this.#hear(message));
  }

  /**
   * The tokens to send with; the first call of an instance fetches some, where there is a refresh token.
   *
   * @returns undefined when nobody is signed in.
   * @throws ApiError - `user_changed`, or that the service could not be asked.
   */
  async grant(patience?: Patience): Promise<SignedIn | undefined> {
    const before = this.user;
    // Again where `resume()` has begun anew in the very moment that the tokens came.
    while (!this.#held && this.#state !== "signed_out") {
      await this.renew(undefined, patience).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
      });
    }
    if (before && this.#state !== "signed_out") this.insist({ user: before });
    return this.#held;
  }

  /**
   * Get a new access token in the place of one that has expired. All callers wait for the same refresh.
   *
   * @param used - The expired one; where a newer one is there already, nothing is asked.
   * @throws ApiError - 401 when nobody is signed in any more; `user_changed`; that the service could not be asked.
   */
  async renew(used: string | undefined, patience?: Patience): Promise<void> {
    for (;;) {
      if (this.#state === "other_user") throw userChanged();
      if (this.#state === "signed_out") throw nobody();
      if (this.#held && this.#held.access_token !== used) return;
      const renewing = (this.#renewing ??= this.#refresh().finally(() => {
        this.#renewing = null;
      }));
      if (await (patience ? within(renewing, patience.limits, patience.signal) : renewing)) return;
    }
  }

  /**
   * Do what somebody began only as long as it is they who are signed in.
   *
   * @returns Their tokens, where there are some.
   * @throws ApiError - 401 when nobody is signed in by now, `user_changed` when somebody else is.
   */
  insist({ user }: { user: { id: string } }): SignedIn | undefined {
    if (this.#state === "signed_out") throw nobody();
    if (!this.isStill(user)) throw userChanged();
    return this.#held;
  }

  /** Whether nobody else is signed in by now, as far as is known, and nobody has signed out. */
  isStill({ id }: { id: string }): boolean {
    return ["signed_in", "unknown"].includes(this.#state) && (this.user?.id ?? id) === id;
  }

  /** Do what gives tokens, in its turn: no refresh and no other such call is under way meanwhile, in other tabs neither. */
  turn<T>(work: () => Promise<T>, patience?: Patience): Promise<T> {
    return this.#line.turn((alone: () => Promise<T>) => this.#tabs.exclusively(alone), work, patience);
  }

  /** Find out anew who is signed in; see `Holdfast.resume`. */
  async resume(): Promise<User | null> {
    await this.#renewing?.catch(() => {});
    this.#set("unknown");
    await this.grant();
    return this.user;
  }

  /** Go on with the tokens of an answer, within its turn: first kept, then used, since their use ends the ones before. */
  async adopt(signedIn: SignedIn): Promise<void> {
    const { store, transport } = this.#options;
    const { refresh_token = null, device_token, access_token } = signedIn;
    if (transport === "body" && refresh_token) await store.set(REFRESH_TOKEN, refresh_token);
    if (this.#leaving) {
      // Who has signed out meanwhile leaves this session too.
      const end = () => endSession(this.#options, refresh_token, access_token);
      await forget(this.#options, refresh_token).then(end, end).catch(() => {});
    } else {
      this.#line.note(signedIn);
      this.#set("signed_in", signedIn);
      this.#tabs.tell({ kind: "signed_in", userId: signedIn.user.id });
    }
    // Without it a sign-in is good as well: the service takes the device for a new one the next time.
    if (device_token) await store.set(DEVICE_TOKEN, device_token).catch(() => {});
  }

  /** The service says that a session is over: ours, or one that we have left. Kept tokens stay: only a refresh can tell. */
  revoked(used: SignedIn): void {
    if (this.#held?.session_id === used.session_id) this.#end("session_revoked");
  }

  /** Sign out; see `Holdfast.signOut`. */
  async signOut(): Promise<void> {
    const state = this.#state;
    const own = state === "unknown" ? undefined : this.#own;
    const known = own?.refresh_token ?? null;
    // First, or an app that is closed before the service answers would be signed in when it starts again.
    const forgotten = forget(this.#options, state === "unknown" ? undefined : known);
    // Where somebody else is there, the cookie is theirs.
    const options = state === "other_user" ? { ...this.#options, transport: "body" as const } : this.#options;
    this.#leaving += 1;
    const telling = this.turn(async () => {
      try {
        // Again, since a refresh that was under way may have stored the next one. A store that fails is not asked twice.
        const token = await forgotten.then((first) => forget(options, first)).catch(() => known);
        await endSession(options, token, own?.access_token);
      } finally {
        this.#leaving -= 1;
      }
    });
    this.#set("signed_out");
    if (state !== "other_user") this.#tabs.tell({ kind: "signed_out" });
    if (state !== "signed_out") call(this.#options.onSignedOut, "signed_out");
    const told = within(telling, { until: Date.now() + FAREWELL }).catch((error: unknown) => {
      // A token has gone with this; a cookie has not.
      if (options.transport === "cookie") throw error;
    });
    await Promise.all([forgotten, told]);
  }

  close(): void {
    this.#tabs.close();
  }

  /** @returns Whether it was done; false where something else has happened meanwhile, and has to be looked at. */
  #refresh(): Promise<boolean> {
    const { answers } = this.#line;
    const asked = this.#era;
    return this.turn(async () => {
      const overtaken = () => this.#era !== asked;
      if (overtaken()) return false;
      try {
        const signedIn = await exchange(this.#options, this.#line.answers > answers ? this.#line.newest : undefined);
        if (overtaken()) return false;
        this.#line.note(signedIn);
        if (this.user && this.user.id !== signedIn.user.id) {
          this.#meet(signedIn.user);
          throw userChanged();
        }
        this.#set("signed_in", signedIn);
        return true;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (overtaken()) return false;
        // At the start of an app that nobody had signed in to, there is nothing to tell.
        const told = this.#state === "signed_in" || (this.#options.transport === "body" && !isNobody(error));
        this.#end(error.code, told);
        throw error;
      }
    });
  }

  #end(reason: SignedOutReason, told = this.#state !== "signed_out"): void {
    this.#set("signed_out");
    if (told) call(this.#options.onSignedOut, reason);
  }

  /** Tabs share a cookie; with the transport `body` each may have a session of its own. */
  #hear(message: TabMessage): void {
    if (this.#options.transport !== "cookie" || this.#state !== "signed_in") return;
    if (message.kind === "signed_out") this.#end("signed_out_elsewhere");
    else if (message.userId !== this.user?.id) this.#meet({ id: message.userId });
  }

  #meet(user: { id: string }): void {
    this.#set("other_user");
    call(this.#options.onUserChanged, user);
  }

  #set(state: State, signedIn?: SignedIn): void {
    this.#era += 1;
    this.#state = state;
    this.user = signedIn?.user ?? null;
    this.#held = signedIn;
    this.#own = signedIn ?? this.#own;
  }
}

/** Tell the app; a fault of its own is shown, and is no fault of what it is told of. */
function call<T>(listener: ((what: T) => void) | undefined, what: T): void {
  try {
    listener?.(what);
  } catch (error) {
    console.error(error);
  }
}
