// Signing up, the second factor, and tokens that never sign anybody out by themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  completeMfa, confirmTotp, createProject, getMe, listSessions, memoryStore, revokeOtherSessions, signIn, startTotp,
} from "@holdfast/client";
import { advance, alice, noting, PASSWORD, phone, somebody, totp } from "./service.mjs";

test("Dana signs up by the code of her mail, and stays signed in when the app starts again", async () => {
  const tokenStore = memoryStore();
  const { holdfast, client } = await somebody("Dana", { tokenStore });
  assert.equal(holdfast.user.display_name, "Dana");
  const { items } = await listSessions({ client });
  assert.equal(items[0].device_name, "A phone");

  const restarted = phone({ tokenStore });
  assert.equal((await restarted.resume()).id, holdfast.user.id);

  await restarted.signOut();
  assert.equal(await tokenStore.get("holdfast.refresh_token"), null);
  assert.notEqual(await tokenStore.get("holdfast.device_token"), null, "the device stays known");
  const ended = [];
  assert.equal(await phone({ tokenStore, onSignedOut: (reason) => ended.push(reason) }).resume(), null);
  assert.deepEqual(ended, [], "nobody was signed in, so nobody is told");
});

test("The second factor keeps the session, and asks for a code at the next sign-in", async () => {
  const { holdfast, client, email } = await somebody("Erin");
  const { secret } = await startTotp({ client });
  const { recovery_codes } = await confirmTotp({ client, body: { code: totp(secret, await advance(1)) } });
  assert.equal((await getMe({ client })).mfa_enabled, true, "with the new tokens of the session");

  await holdfast.signOut();
  const asked = await signIn({ client, body: { email, password: PASSWORD } });
  assert.equal(asked.status, "mfa_required");
  assert.equal(holdfast.user, null);
  const body = { mfa_token: asked.mfa_token, method: "recovery_code" };
  await assert.rejects(completeMfa({ client, body: { ...body, code: "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA" } }), { code: "invalid_code", status: 401 });
  await completeMfa({ client, body: { ...body, code: recovery_codes[0] } });
  assert.equal(holdfast.user.email, email);
});

test("Two instances that share a store refresh at once: one successor, and nobody is signed out", async () => {
  const kept = new Map();
  const view = () => ({
    get: async (name) => kept.get(name) ?? null,
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  });
  const shared = view();
  const ended = [];
  const noted = [];
  const options = { onSignedOut: (reason) => ended.push(reason), fetch: noting(noted) };
  await alice({ tokenStore: shared });
  const before = kept.get("holdfast.refresh_token");

  // The same store: one asks, the other goes on with its answer.
  const [one, two] = [phone({ tokenStore: shared, ...options }), phone({ tokenStore: shared, ...options })];
  await Promise.all([one.resume(), two.resume(), getMe({ client: one.client }), getMe({ client: two.client })]);
  assert.equal(noted.filter(({ call }) => call === "POST /auth/refresh").length, 1);
  const successor = kept.get("holdfast.refresh_token");
  assert.notEqual(successor, before);

  // Two processes that look into the same Keychain: both ask, and get the same successor.
  const answers = [];
  const listening = async (input, init) => {
    const answer = await fetch(input, init);
    if (input.url.endsWith("/auth/refresh")) answers.push((await answer.clone().json()).refresh_token);
    return answer;
  };
  const processes = [view(), view()].map((tokenStore) => phone({ ...options, tokenStore, fetch: listening }));
  await Promise.all(processes.map((each) => each.resume()));
  assert.equal(answers.length, 2);
  assert.equal(new Set(answers).size, 1);
  await Promise.all(processes.map(({ client }) => getMe({ client })));
  assert.deepEqual(ended, []);
});

test("An access token that expires in mid-flight is replaced once for all calls under way", async () => {
  const noted = [];
  const holdfast = await alice({ fetch: noting(noted) });
  const { client } = holdfast;
  await getMe({ client });
  await advance(601);
  noted.length = 0;
  const [me, project, ...rest] = await Promise.all([
    getMe({ client }),
    createProject({ client, body: { name: "Written with a fresh token" } }),
    ...Array.from({ length: 6 }, () => getMe({ client })),
  ]);
  assert.equal(me.display_name, "Alice");
  assert.equal(project.name, "Written with a fresh token");
  assert.equal(rest.length, 6);
  assert.equal(noted.filter(({ call }) => call === "POST /auth/refresh").length, 1);
  assert.ok(noted.some(({ status }) => status === 401));
});

test("A session that was ended elsewhere says so once, and refreshes nothing", async () => {
  const { client, email } = await somebody("Frank");
  const ended = [];
  const noted = [];
  const other = phone({ onSignedOut: (reason) => ended.push(reason), fetch: noting(noted) });
  await signIn({ client: other.client, body: { email, password: PASSWORD } });
  await revokeOtherSessions({ client });
  await advance(1); // facts of a session are remembered for a second at most
  await assert.rejects(
    async () => {
      for (let attempt = 0; attempt < 40; attempt += 1) {
        await getMe({ client: other.client });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    { code: "session_revoked", status: 401 },
  );
  assert.deepEqual(ended, ["session_revoked"]);
  await assert.rejects(getMe({ client: other.client }), { code: "not_authenticated" });
  assert.deepEqual(ended, ["session_revoked"]);
  assert.ok(!noted.some(({ call }) => call === "POST /auth/refresh"));
});

test("A token is dropped on a 401 of the refresh alone: not offline, not on a 503", async () => {
  const tokenStore = memoryStore();
  await alice({ tokenStore });
  const ended = [];
  const broken = { tokenStore, retry: { attempts: 2 }, onSignedOut: (reason) => ended.push(reason) };
  const offline = phone({ ...broken, fetch: async () => { throw new TypeError("fetch failed"); } });
  await assert.rejects(offline.resume(), { code: "network_error", isNetworkError: true });
  const unwell = phone({ ...broken, fetch: async () => new Response("<h1>Bad gateway</h1>", { status: 502 }) });
  await assert.rejects(unwell.resume(), { code: "http_502", status: 502 });
  const portal = phone({ ...broken, fetch: async () => new Response("<h1>Pay for the network</h1>", { status: 401 }) });
  await assert.rejects(portal.resume(), { code: "http_401", status: 401 });
  assert.deepEqual(ended, []);
  assert.equal((await phone({ tokenStore }).resume()).display_name, "Alice");

  await tokenStore.set("holdfast.refresh_token", "hfr1.k1.none");
  assert.equal(await phone({ ...broken }).resume(), null);
  assert.deepEqual(ended, ["refresh_invalid"]);
  assert.equal(await tokenStore.get("holdfast.refresh_token"), null);
});

test("An instance whose store has got somebody else's token says so, and sends nothing in their name", async () => {
  const tokenStore = memoryStore();
  const met = [];
  const holdfast = await alice({ tokenStore, onUserChanged: (user) => met.push(user.id) });
  const { holdfast: other } = await somebody("Gail", { tokenStore });
  await advance(601);
  await assert.rejects(getMe({ client: holdfast.client }), { code: "user_changed" });
  await assert.rejects(createProject({ client: holdfast.client, body: { name: "Whose?" } }), { code: "user_changed" });
  assert.deepEqual(met, [other.user.id]);
  assert.equal((await holdfast.resume()).display_name, "Gail");
});
