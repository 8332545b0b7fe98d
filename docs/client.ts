// A small client for Holdfast: adds the access token, refreshes it once for all, repeats what may be repeated.
// Works in browsers and in React Native; also as the `fetch` of a generated client.

export interface FieldProblem {
  location: string;
  field: string;
  code: string;
  detail: string;
  params: Record<string, unknown>;
}

export interface Problem {
  code: string;
  status: number;
  title: string;
  detail: string;
  request_id: string;
  errors?: FieldProblem[];
  current?: unknown;
  retry_after?: number;
}

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** Where an app keeps its refresh token: the Keychain or Keystore. Web apps need none, the cookie is enough. */
export interface TokenStore {
  read(): Promise<string | null>;
  write(token: string): Promise<void>;
  clear(): Promise<void>;
}

interface SignedIn {
  access_token: string;
  refresh_token: string | null;
}

const TRIES = 5;

export class Holdfast {
  private access: string | null = null;
  private refreshing: Promise<void> | null = null;
  private signedOff = false;

  /** `base` ends in /api/v1. Give a `store` on a phone; without one the refresh token travels as a cookie. */
  constructor(
    private readonly base: string,
    private readonly store: TokenStore | null = null,
    /** Called when nobody is signed in any more, and at the start when nobody was. */
    private readonly signedOut: () => void = () => {},
  ) {}

  /** At the start of the app: whether somebody is still signed in. Throws when offline: ask again later. */
  async resume(): Promise<boolean> {
    try {
      await this.refresh(null);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) return false;
      throw error;
    }
  }

  async signIn(email: string, password: string, deviceName?: string): Promise<void> {
    const proof = { email, password, device_name: deviceName, token_transport: this.store ? "body" : "cookie" };
    await this.keep(await this.auth("login", proof));
  }

  async signOut(): Promise<void> {
    const token = await this.store?.read();
    try {
      await this.auth("logout", token ? { refresh_token: token } : {});
    } finally {
      await this.forget(); // here at least, whatever the network says
    }
  }

  /** One JSON request. Its problems are thrown as ApiError. */
  async json<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.fetch(this.base + path, {
      method,
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new ApiError(await problemOf(response));
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Like the global fetch, for addresses of the API. */
  fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    // One key for all repetitions of this call: the server does the write once.
    if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", freshKey());
    }
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      const used = this.access;
      const response = await this.attempt(request, used, attempt);
      if (response === null) continue;
      // Without an access token too: an app that started offline still has its refresh token.
      if (response.status !== 401 || refreshed || (!used && this.signedOff)) return response;
      await this.refresh(used);
      refreshed = true;
    }
  };

  /** Null when it is worth another try. */
  private async attempt(request: Request, token: string | null, attempt: number): Promise<Response | null> {
    const sent = request.clone();
    if (token) sent.headers.set("Authorization", `Bearer ${token}`);
    try {
      const response = await fetch(sent);
      if (attempt >= TRIES || !(await mayRepeat(response))) return response;
      await pause(attempt, response);
    } catch (error) {
      if (attempt >= TRIES || request.signal.aborted) throw error;
      await pause(attempt);
    }
    return null;
  }

  /** One refresh at a time; whoever comes with an older token only waits for it, or goes on with the newer one. */
  private refresh(used: string | null): Promise<void> {
    if (this.access !== null && this.access !== used) return Promise.resolve();
    this.refreshing ??= this.exchange().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async exchange(): Promise<void> {
    const token = this.store ? await this.store.read() : null;
    try {
      await this.keep(await this.auth("refresh", token ? { refresh_token: token } : {}));
    } catch (error) {
      // The only moment to drop a token. A lost answer, a 429 or a 503 is no reason: the same token works again.
      if (error instanceof ApiError && error.problem.status === 401) await this.forget();
      throw error;
    }
  }

  private async keep(signedIn: SignedIn): Promise<void> {
    // First stored, then used: once the new access token was used, the old refresh token is worth nothing.
    if (this.store && signedIn.refresh_token) await this.store.write(signedIn.refresh_token);
    this.access = signedIn.access_token;
    this.signedOff = false;
  }

  private async forget(): Promise<void> {
    this.access = null;
    this.signedOff = true;
    await this.store?.clear();
    this.signedOut();
  }

  private async auth(action: "login" | "refresh" | "logout", body: object): Promise<SignedIn> {
    const request = new Request(`${this.base}/auth/${action}`, {
      method: "POST",
      credentials: this.store ? "omit" : "include",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": "1" },
      body: JSON.stringify(body),
    });
    for (let attempt = 1; ; attempt++) {
      const response = await this.attempt(request, null, attempt);
      if (response === null) continue;
      if (!response.ok) throw new ApiError(await problemOf(response));
      if (response.status === 204) return { access_token: "", refresh_token: null };
      try {
        return (await response.json()) as SignedIn;
      } catch (error) {
        if (attempt >= TRIES) throw error; // the connection broke within the answer: ask again
      }
    }
  }
}

async function mayRepeat(response: Response): Promise<boolean> {
  if (response.status === 429) return Number(response.headers.get("Retry-After")) <= 60;
  if (response.status === 409) return response.headers.has("Retry-After");
  return response.status >= 500;
}

/** As long as the server asks for, else 0.4 s, 0.8 s, 1.6 s ... with some chance in it. */
function pause(attempt: number, response?: Response): Promise<void> {
  const asked = Number(response?.headers.get("Retry-After")) * 1000;
  const ms = (asked || 200 * 2 ** attempt) * (1 + Math.random() / 4);
  return new Promise((done) => setTimeout(done, ms));
}

/** The problem in an answer; made up where a proxy answered instead of the service. */
async function problemOf(response: Response): Promise<Problem> {
  const { status, statusText } = response;
  const none = { code: "", status, title: statusText, detail: `The server answered ${status}.`, request_id: "" };
  return (await response.json().catch(() => none)) as Problem;
}

/** Any word that is not used twice; crypto.randomUUID is missing in React Native and on plain http. */
function freshKey(): string {
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}
