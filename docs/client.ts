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
  /** With step_up_required: what proves identity here, and for how many seconds. */
  methods?: string[];
  max_age?: number;
  /** With owns_shared_projects. */
  projects?: { id: string; name: string }[];
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

export interface SignedIn {
  status: "signed_in";
  access_token: string;
  refresh_token: string | null;
  device_token: string | null;
}

/** The password was right, and the account has a second factor. */
export interface MfaRequired {
  status: "mfa_required";
  mfa_token: string;
  methods: string[];
  expires_in: number;
}

const TRIES = 5;
const NOBODY: SignedIn = { status: "signed_in", access_token: "", refresh_token: null, device_token: null };
const NOT_OF_TOKENS = ["invalid_code", "invalid_credentials"];

export class Holdfast {
  /** Keep it on the device when nobody is signed in any more, and set it before the next sign-in there. */
  deviceToken: string | null = null;
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

  /** Null when signed in, else what `completeMfa` needs. */
  async signIn(email: string, password: string, deviceName?: string): Promise<MfaRequired | null> {
    const device = { device_name: deviceName, device_token: this.deviceToken };
    const answer = await this.auth("login", { email, password, ...device, token_transport: this.transport });
    if (answer.status === "mfa_required") return answer;
    await this.adopt(answer);
    return null;
  }

  /** The second step: `method` is totp or recovery_code. */
  async completeMfa(mfaToken: string, method: string, code: string, deviceName?: string): Promise<void> {
    const proof = { mfa_token: mfaToken, method, code, device_name: deviceName, token_transport: this.transport };
    await this.adopt((await this.auth("mfa", proof)) as SignedIn);
  }

  /** After `step_up_required`: prove again who one is, e.g. `{ method: "password", password }`. */
  async stepUp(proof: object): Promise<void> {
    await this.adopt(await this.json<SignedIn>("POST", "/auth/step-up", proof));
  }

  /** Go on with new tokens of the session: the `session` in the answer of confirmTotp or addPasskey. */
  async adopt(signedIn: SignedIn): Promise<void> {
    // First stored, then used: once the new access token was used, the old refresh token is worth nothing.
    if (this.store && signedIn.refresh_token) await this.store.write(signedIn.refresh_token);
    this.access = signedIn.access_token;
    this.deviceToken = signedIn.device_token ?? this.deviceToken;
    this.signedOff = false;
  }

  private get transport(): string {
    return this.store ? "body" : "cookie";
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
    // Proofs of identity set the cookie anew.
    const request = new Request(input, { credentials: this.store ? "omit" : "include", ...init });
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
      if (NOT_OF_TOKENS.includes((await problemOf(response.clone())).code)) return response;
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
      await this.adopt((await this.auth("refresh", token ? { refresh_token: token } : {})) as SignedIn);
    } catch (error) {
      // The only moment to drop a token. A lost answer, a 429 or a 503 is no reason: the same token works again.
      if (error instanceof ApiError && error.problem.status === 401) await this.forget();
      throw error;
    }
  }

  private async forget(): Promise<void> {
    this.access = null;
    this.signedOff = true;
    await this.store?.clear();
    this.signedOut();
  }

  private async auth(action: "login" | "mfa" | "refresh" | "logout", body: object): Promise<SignedIn | MfaRequired> {
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
      if (response.status === 204) return NOBODY;
      try {
        return (await response.json()) as SignedIn | MfaRequired;
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
