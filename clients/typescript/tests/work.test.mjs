// Lists, edits, errors and the change feed, against the service.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError, archiveProject, catchUp, createApiToken, createProject, deleteProject, followChanges, getProject, ifMatch, isApiError, listMembers,
  listProjects, paginate, register, revokeApiToken, signIn, updateProject, updateWithRetry, verifyWebLink,
} from "@holdfast/client";
import { alice, baseUrl, noting, PASSWORD, phone, somebody } from "./service.mjs";

test("250 items are paged through, each once, also when one moves meanwhile", async () => {
  const { client } = await somebody("Hana");
  const names = Array.from({ length: 250 }, (_, number) => `Reef ${String(number).padStart(3, "0")}`);
  for (let start = 0; start < names.length; start += 25) {
    await Promise.all(names.slice(start, start + 25).map((name) => createProject({ client, body: { name } })));
  }
  const found = [];
  for await (const project of paginate(listProjects, { client, query: { limit: 50, sort: "updated_at" } })) {
    found.push(project);
    if (found.length === 60) await updateProject({ client, path: { project_id: found[10].id }, body: { description: "Moved to the end." } });
  }
  assert.deepEqual(found.map(({ name }) => name).sort(), names);
  const members = [];
  for await (const member of paginate(listMembers, { client, path: { project_id: found[0].id } })) members.push(member.role);
  assert.deepEqual(members, ["owner"]);
});

test("Two people edit one project, and neither edit is lost", async () => {
  const { client } = await somebody("Ines");
  const project = await createProject({ client, body: { name: "Harbour map" } });
  const path = { project_id: project.id };
  await updateProject({ client, path, body: { description: "Deep water in the north." } });

  await assert.rejects(updateProject({ client, path, headers: ifMatch(project), body: { name: "Too late" } }), (error) => {
    assert.ok(isApiError(error, "version_conflict"));
    assert.equal(error.status, 412);
    assert.equal(error.current.description, "Deep water in the north.");
    return true;
  });
  const seen = [];
  const edited = await updateWithRetry(project, (now, headers) => {
    seen.push(now.version);
    return updateProject({ client, path, headers, body: { name: `${now.name} (2026)` } });
  });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual([edited.name, edited.description], ["Harbour map (2026)", "Deep water in the north."]);
});

test("Errors speak to forms, and to people who look into logs", async () => {
  const { client } = phone();
  const body = { email: "no address", password: PASSWORD, display_name: "" };
  const error = await register({ client, body }).catch((caught) => caught);
  assert.ok(error instanceof ApiError && error instanceof Error);
  assert.deepEqual([error.code, error.status, error.isNetworkError], ["validation_failed", 422, false]);
  assert.deepEqual(error.fieldErrors.map(({ name, type }) => [name, type]).sort(), [["display_name", "too_short"], ["email", "invalid_format"]]);
  assert.ok(error.fieldErrors.every(({ message }) => message.length > 5));
  assert.match(error.requestId, /^[\w-]+$/);
  assert.equal(error.request_id, error.requestId, "as the generated types say");

  const strange = JSON.stringify({ code: "code_of_tomorrow", status: 418, detail: "New.", errors: [{ field: "a.b", code: "odd", detail: "Odd.", params: {} }] });
  const future = phone({ fetch: async () => new Response(strange, { status: 418, headers: { "Content-Type": "application/problem+json" } }) });
  const unknown = await register({ client: future.client, body }).catch((caught) => caught);
  assert.deepEqual([unknown.code, unknown.status, unknown.fieldErrors[0].name], ["code_of_tomorrow", 418, "a.b"]);

  const proxy = phone({ fetch: async () => new Response("<html>", { status: 403 }) });
  await assert.rejects(register({ client: proxy.client, body }), { code: "http_403", status: 403 });
});

test("What may be repeated is repeated, with one key; what may not is not", async () => {
  const holdfast = await alice();
  const token = await holdfast.accessToken();
  const noted = [];
  let lost = 0;
  const lossy = (times) => async (input, init) => {
    const answer = await noting(noted)(input, init);
    if (lost++ < times) throw new TypeError("fetch failed"); // it arrived; the answer did not
    return answer;
  };
  const headers = { Authorization: `Bearer ${token}` };
  const { client } = phone({ fetch: lossy(2) });
  const project = await createProject({ client, headers, body: { name: "Made once" } });
  assert.equal(noted.length, 3);
  assert.equal(new Set(noted.map(({ key }) => key)).size, 1);
  assert.deepEqual(noted.map(({ replayed }) => replayed), [null, "true", "true"]);

  lost = 0;
  noted.length = 0;
  const path = { project_id: project.id };
  await assert.rejects(archiveProject({ client, headers, path }), { code: "network_error" });
  assert.equal(noted.length, 1, "archiveProject declares no key");
  await assert.rejects(getProject({ client: phone({ fetch: async () => { throw new TypeError(); }, retry: { attempts: 3 } }).client, path }), ApiError);
});

test("Too late is an error, an abort is the caller's own, and Retry-After is waited for", async () => {
  const silent = (_input, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const slow = phone({ fetch: silent, retry: { timeout: 50, attempts: 2 } });
  await assert.rejects(listProjects({ client: slow.client, headers: {}, security: [] }), { code: "timeout", isNetworkError: true });
  const patient = phone({ fetch: silent });
  await assert.rejects(listProjects({ client: patient.client, security: [], signal: AbortSignal.abort(new Error("left the screen")) }), /left the screen/);

  const times = [];
  const busy = async () => {
    times.push(performance.now());
    return times.length < 2 ? new Response("{}", { status: 429, headers: { "Retry-After": "1" } }) : Response.json({ items: [] });
  };
  assert.deepEqual(await listProjects({ client: phone({ fetch: busy }).client, security: [] }), { items: [] });
  assert.ok(times[1] - times[0] >= 990);
  const long = async () => new Response("{}", { status: 429, headers: { "Retry-After": "3600" } });
  await assert.rejects(listProjects({ client: phone({ fetch: long }).client, security: [] }), { code: "http_429", retryAfter: 3600 });
});

test("A copy follows the change feed while somebody else writes", async () => {
  const { holdfast, client, email } = await somebody("Kim");
  const writer = phone();
  await signIn({ client: writer.client, body: { email, password: PASSWORD } });
  const copy = { projects: new Map(), since: null };
  const apply = async ({ items, cursor, reset }) => {
    if (reset) copy.projects.clear();
    for (const { type, id, project } of items) type === "upsert" ? copy.projects.set(id, project.name) : copy.projects.delete(id);
    copy.since = cursor;
  };
  const stop = new AbortController();
  const feed = followChanges(client, { signal: stop.signal, interval: 20 });
  const following = (async () => { for await (const batch of feed) await apply(batch); })();
  const expected = new Map();
  for (let round = 0; round < 12; round += 1) {
    const made = await createProject({ client: writer.client, body: { name: `Round ${round}` } });
    expected.set(made.id, made.name);
    if (round % 3 === 0) {
      await deleteProject({ client: writer.client, path: { project_id: made.id } });
      expected.delete(made.id);
    }
    if (round % 3 === 1) {
      const { name } = await updateProject({ client: writer.client, path: { project_id: made.id }, body: { name: `Round ${round}, again` } });
      expected.set(made.id, name);
    }
  }
  const deadline = performance.now() + 20_000;
  const same = () => JSON.stringify([...copy.projects].sort()) === JSON.stringify([...expected].sort());
  while (!same() && performance.now() < deadline) {
    feed.lookNow();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop.abort();
  await following;
  assert.deepEqual([...copy.projects].sort(), [...expected].sort());

  await createProject({ client: writer.client, body: { name: "While the app was closed" } });
  await catchUp(client, { cursor: async () => copy.since, apply });
  assert.equal(copy.projects.size, expected.size + 1);
  assert.ok(holdfast.user);
});

test("A script brings an API token, and nothing is refreshed for it", async () => {
  const { client } = await somebody("Mo");
  const { token, id } = await createApiToken({ client, body: { name: "Nightly report", scopes: ["read"] } });
  const noted = [];
  const script = phone({ fetch: noting(noted) });
  assert.deepEqual((await listProjects({ client: script.client, auth: token })).items, []);
  script.client.setConfig({ auth: token });
  assert.deepEqual((await listProjects({ client: script.client })).items, []);
  await revokeApiToken({ client, path: { key_id: id } });
  await assert.rejects(async () => {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      await listProjects({ client: script.client, auth: token });
      await new Promise((resolve) => setTimeout(resolve, 100)); // it stops within a second
    }
  }, { code: "token_invalid", status: 401 });
  assert.ok(noted.every(({ call }) => call === "GET /projects"));
});

test("A cursor that has become too old begins the copy anew", async () => {
  const { client } = await somebody("Lou");
  const made = await createProject({ client, body: { name: "Tide tables" } });
  const asked = [];
  const forgetful = async (input, init) => {
    asked.push(new URL(input.url).searchParams.get("since"));
    const gone = { code: "resync_required", status: 410, detail: "This cursor is too old." };
    return asked.length === 1 ? Response.json(gone, { status: 410 }) : fetch(input, init);
  };
  const batches = [];
  client.setConfig({ fetch: forgetful });
  for await (const batch of followChanges(client, { since: "k1.old", follow: false })) batches.push(batch);
  assert.deepEqual(asked, ["k1.old", null]);
  assert.deepEqual(batches.map(({ reset, items }) => [reset, items.map(({ id }) => id)]), [[true, [made.id]]]);
});

test("A link of a mail is taken apart, and others are none", () => {
  const from = { origins: ["https://app.example.com"], scheme: "reefapp" };
  const found = { kind: "verify-email", token: "hfx1.k1.a-b_c" };
  assert.deepEqual(verifyWebLink("https://app.example.com/verify-email#token=hfx1.k1.a-b_c", from), found);
  assert.deepEqual(verifyWebLink("reefapp://verify-email#token=hfx1.k1.a-b_c", from), found);
  for (const url of [
    "https://evil.example.com/verify-email#token=hfx1.k1.a", "https://app.example.com.evil.com/verify-email#token=a",
    "https://app.example.com/elsewhere#token=a", "https://app.example.com/verify-email?token=a", "other://verify-email#token=a", "nonsense",
  ]) assert.equal(verifyWebLink(url, from), null, url);
  assert.equal(new URL(baseUrl).pathname, "/api/v1");
});
