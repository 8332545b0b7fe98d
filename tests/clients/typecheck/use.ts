// An app's use of the generated client. It must compile under `tsc --strict`, and run against the service.
import { client } from "./api/client.gen.js";
import {
  completeMfa, createProject, getMe, getProject, listProjects, refreshSession, signIn, stepUp, updateProject,
  verifyEmail,
} from "./api/sdk.gen.js";
import type { MfaRequired, Problem, Project, SignedIn, SignInError, StepUp, UpdateProjectError } from "./api/types.gen.js";

const lines: string[] = [];

client.setConfig({ baseUrl: `${process.env.URL}/api/v1` });

async function session(email: string, password: string): Promise<SignedIn> {
  const { data, error } = await signIn({ body: { email, password, device_name: "A generated client" } });
  if (error) throw new Error(told(error));
  switch (data.status) {
    case "signed_in":
      return data;
    case "mfa_required":
      return secondStep(data);
  }
}

async function secondStep(waiting: MfaRequired): Promise<SignedIn> {
  lines.push(`methods: ${waiting.methods.join(", ")}`);
  const body = { mfa_token: waiting.mfa_token, method: "totp", code: process.env.CODE ?? "" } as const;
  const { data, error } = await completeMfa({ body });
  if (data) return data;
  throw new Error(error.code === "mfa_token_invalid" ? "Begin with the password." : error.detail);
}

/** Each method has its own fields, and the compiler knows which. */
async function provesAgain(token: string, proof: StepUp): Promise<string> {
  const { error } = await stepUp({ body: proof, headers: { Authorization: `Bearer ${token}` } });
  return error ? error.code : "proved";
}

/** What to show people: the compiler knows each code that signing in can answer, and what comes with it. */
function told(problem: SignInError): string {
  switch (problem.code) {
    case "invalid_credentials":
      return "The address or the password is not right.";
    case "email_not_verified":
      return "Look for our mail first.";
    case "rate_limited":
      return `Wait ${problem.retry_after} seconds.`;
    case "validation_failed":
      return problem.errors.map((fault) => `${fault.field}: ${fault.detail}`).join(" ");
    default:
      return problem.detail;
  }
}

/** A conflict shows the resource as it is now. */
function merged(problem: UpdateProjectError): Project | undefined {
  return problem.code === "version_conflict" ? problem.current : undefined;
}

async function everyProject(): Promise<Project[]> {
  const found: Project[] = [];
  let cursor: string | undefined;
  for (;;) {
    const { data } = await listProjects({ query: { limit: 2, cursor, sort: "name" }, throwOnError: true });
    found.push(...data.items);
    if (!data.has_more || data.next_cursor === null) return found;
    cursor = data.next_cursor;
  }
}

async function main(): Promise<void> {
  const password = process.env.PASSWORD ?? "";
  const wrong = await signIn({ body: { email: "alice@example.com", password: "not the password" } });
  lines.push(`wrong password: ${wrong.error && told(wrong.error)}`);

  const ada = await session("ada@example.com", password);
  lines.push(`administrator: ${ada.user.display_name}, ${ada.user.mfa_enabled}`);
  lines.push(`used code: ${await provesAgain(ada.access_token, { method: "totp", code: process.env.CODE ?? "" })}`);
  // @ts-expect-error a password is no code
  const mixed: StepUp = { method: "totp", password };
  lines.push(`mixed: ${await provesAgain(ada.access_token, mixed)}`);

  const first = await session("alice@example.com", password);
  const next = await refreshSession({ body: { refresh_token: first.refresh_token }, throwOnError: true });
  client.setConfig({ auth: () => next.data.access_token });

  const me = await getMe({ throwOnError: true });
  const nickname: string | null = me.data.locale;
  lines.push(`me: ${me.data.display_name} ${nickname ?? "no locale"} ${me.response.headers.get("ETag") !== null}`);

  const made = await createProject({
    body: { name: "From the generated client" },
    headers: { "Idempotency-Key": crypto.randomUUID() },
    throwOnError: true,
  });
  lines.push(`made: ${made.data.name}, ${made.data.description}, at ${made.response.headers.get("Location")}`);
  lines.push(`listed: ${(await everyProject()).map((project) => project.name).join(", ")}`);

  const path = { project_id: made.data.id };
  const read = await getProject({ path, query: { expand: "owner" }, throwOnError: true });
  lines.push(`owner: ${read.data.owner?.display_name}, counts: ${read.data.counts}`);
  const tag = read.response.headers.get("ETag") ?? "";
  await updateProject({ path, body: { description: "Changed." }, headers: { "If-Match": tag }, throwOnError: true });
  const stale = await updateProject({ path, body: { name: "Too late" }, headers: { "If-Match": tag } });
  lines.push(`stale: ${stale.response?.status}, now ${stale.error && merged(stale.error)?.description}`);

  const unknown = await getProject({ path: { project_id: first.session_id } });
  const problem: Problem | undefined = unknown.error;
  lines.push(`unknown: ${problem?.code}`);
}

// What the compiler must refuse. An unused directive is an error too, so each of these proves that it does.
export function refused(problem: SignInError, project: Project): void {
  // @ts-expect-error a code that signing in never answers
  if (problem.code === "project_archived") return;
  // @ts-expect-error `description` may be null
  project.description.trim();
  // @ts-expect-error `status` is one of three words
  if (project.status === "gone") return;
  // @ts-expect-error a project needs a name
  void createProject({ body: { description: "No name." } });
  // @ts-expect-error a field that nobody knows
  void createProject({ body: { name: "Reef survey", colour: "blue" } });
  // @ts-expect-error a code comes with its address
  void verifyEmail({ body: { code: "123456" } });
  // @ts-expect-error this answer has no such field
  lines.push(project.colour);
}

await main();
console.log(lines.join("\n"));
