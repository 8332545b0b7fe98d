// Answers that are not the service's, or say that it is unwell: nobody is signed out by them, and nothing takes them for its own.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import {
  ApiError, createHoldfast, createProject, followChanges, getMe, listProjects, memoryStore, signIn,
} from "@holdfast/client";
import { network, page, problem } from "./network.mjs";
import { alice, baseUrl, PASSWORD, phone, somebody } from "./service.mjs";

const TOKEN = "holdfast.refresh_token";
const FOREIGN = { code: "network_error", isNetworkError: true, message: /^Something else answered/ };

test("What is not the service's own refusal of a refresh signs nobody out, and is no success either", async () => {
  const tokenStore = memoryStore();
  await alice({ tokenStore });
  const kept = await tokenStore.get(TOKEN);
  const strange = [
    [() => Response.json({ code: "UNAUTHORIZED", message: "proxy" }, { status: 401 }), { code: "http_401" }],
    [() => Response.json({ code: "refresh_invalid" }, { status: 401 }), { code: "http_401" }],
    [() => problem(401, "blocked_by_gateway"), { code: "blocked_by_gateway" }],
    [page, FOREIGN],
    [() => Response.json({}), FOREIGN],
    [() => Response.json([]), FOREIGN],
    [() => Response.json(null), FOREIGN],
    [() => Response.json({ access_token: "a", user: { id: "b" } }), FOREIGN],
    [() => new Response('{"access_tok', { headers: { "Content-Type": "application/json" } }), { code: "network_error" }],
  ];
  const ended = [];
  for (const transport of ["body", "cookie"]) {
    for (const [answer, error] of strange) {
      if (transport === "cookie" && answer === strange[7][0]) continue; // that is all that a cookie's answer has
      const net = network();
      net.put("/auth/refresh", answer, 2);
      const options = { tokenStore, transport, fetch: net.fetch, retry: { attempts: 2 }, onSignedOut: (reason) => ended.push(reason) };
      const holdfast = createHoldfast({ baseUrl, ...options });
      await assert.rejects(holdfast.resume(), error);
      assert.equal(holdfast.user, null);
    }
  }
  assert.deepEqual(ended, []);
  assert.equal(await tokenStore.get(TOKEN), kept);
  assert.equal((await phone({ tokenStore }).resume()).display_name, "Alice");
});

test("A page in the place of an answer is no user, and broken JSON is an error like others", async () => {
  const net = network();
  const { client } = await alice({ fetch: net.fetch, retry: { attempts: 2 } });
  net.put("/me", page);
  await assert.rejects(getMe({ client }), FOREIGN);
  net.put("/me", () => new Response('{"id": "0', { headers: { "Content-Type": "application/json" } }), 2);
  await assert.rejects(getMe({ client }), (error) => error instanceof ApiError && /damaged/.test(error.message));
  net.put("/me", () => new Response('{"id": "0', { headers: { "Content-Type": "application/json" } }));
  assert.equal((await getMe({ client })).display_name, "Alice", "what may be repeated is repeated");
  net.put("/auth/login", () => Response.json({}));
  await assert.rejects(signIn({ client, body: { email: "alice@example.com", password: PASSWORD } }), FOREIGN);
});

test("Faults of fields are read as far as they are some", async () => {
  const errors = [null, "odd", 7, {}, { field: "name", code: "odd", detail: "Odd.", params: {} }];
  assert.deepEqual(new ApiError({ code: "validation_failed", errors }).fieldErrors, [{ name: "name", type: "odd", message: "Odd.", params: {} }]);
});

test("The change feed is followed through whatever passes, and a wish to look is not lost", async () => {
  const net = network();
  const { client } = await somebody("Nora", { fetch: net.fetch, retry: { attempts: 1 } });
  const path = "/projects/changes";
  for (const answer of [() => problem(503, "unavailable"), () => problem(500, "internal_error"), page]) net.put(path, answer);
  const leave = new AbortController();
  const feed = followChanges(client, { interval: 5, signal: leave.signal });
  const batches = feed[Symbol.asyncIterator]();
  const first = await batches.next();
  assert.deepEqual([first.value.items, first.value.reset], [[], true]);

  // Asked to look while a question is under way: its answer has left already, so another question follows at once.
  const quiet = followChanges(client, { since: first.value.cursor, interval: 3_600_000, signal: leave.signal });
  const changes = quiet[Symbol.asyncIterator]();
  const held = net.hold(path);
  const empty = changes.next();
  await held.arrived;
  const { id } = await createProject({ client, body: { name: "Meanwhile" } });
  quiet.lookNow();
  held.release();
  assert.deepEqual((await empty).value.items, []);
  assert.deepEqual((await changes.next()).value.items.map((item) => item.id), [id]);

  // A long Retry-After is waited for, and can be cut short.
  net.put(path, () => problem(429, "rate_limited", { "Retry-After": "3600" }));
  const asked = () => net.sent.filter((call) => call.endsWith(path)).length;
  const before = asked();
  const waiting = batches.next();
  while (asked() === before) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await createProject({ client, body: { name: "While it waits" } });
  while (asked() === before + 1) {
    feed.lookNow();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual((await waiting).value.items.map((item) => item.id), [id, second.id]);
  const last = batches.next();
  leave.abort();
  assert.deepEqual(await last, { value: undefined, done: true });
  net.put(path, () => problem(403, "forbidden"));
  await assert.rejects(followChanges(client)[Symbol.asyncIterator]().next(), { code: "forbidden" });
});

test("All tries of a call end at its deadline, and no time is too long", async () => {
  const silent = (_input, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const begun = performance.now();
  const hurried = phone({ fetch: silent, retry: { timeout: 60, deadline: 200 } });
  await assert.rejects(listProjects({ client: hurried.client, security: [] }), { code: "timeout" });
  assert.ok(performance.now() - begun < 2000, "five tries and their waits would be seconds");
  const busy = phone({ fetch: async () => problem(429, "rate_limited", { "Retry-After": "30" }) });
  await assert.rejects(listProjects({ client: busy.client, security: [], meta: { deadline: 5000 } }), { code: "rate_limited" });

  const patient = await alice({ retry: { timeout: Infinity, deadline: Infinity } });
  assert.equal((await getMe({ client: patient.client })).display_name, "Alice");

  const deaf = phone({ fetch: () => new Promise(() => {}), retry: { timeout: 50, attempts: 1 } });
  await assert.rejects(listProjects({ client: deaf.client, security: [] }), { code: "timeout" });
});

test("An address without /api/v1 is told of", () => {
  const warn = mock.method(console, "warn", () => {});
  phone({ baseUrl: "http://127.0.0.1:8000" });
  phone({ baseUrl: "http://127.0.0.1:8000/api/v1/" });
  assert.deepEqual(warn.mock.calls.map(({ arguments: [text] }) => text), [
    "@holdfast/client: the baseUrl http://127.0.0.1:8000 does not end in /api/v1.",
  ]);
  warn.mock.restore();
});
