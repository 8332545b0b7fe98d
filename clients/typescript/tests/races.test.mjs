// Answers that arrive late: the newest tokens stay, and what one person began is not done in another's name.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  confirmTotp, createProject, getMe, listProjects, memoryStore, revokeOtherSessions, secureStore, signIn, startTotp, stepUp,
} from "@holdfast/client";
import { network, problem, unless } from "./network.mjs";
import { advance, PASSWORD, phone, somebody, totp } from "./service.mjs";

const TOKEN = "holdfast.refresh_token";
const password = { method: "password", password: PASSWORD };

/** Somebody on a phone with a network that can be meddled with. */
async function caller(name, tokenStore = memoryStore()) {
  const net = network();
  const ended = [];
  const options = { tokenStore, fetch: net.fetch, onSignedOut: (reason) => ended.push(reason), onUserChanged: () => ended.push("changed") };
  return { ...(await somebody(name, options)), options, net, ended, tokenStore };
}

/** A refresh of theirs whose answer has left the service, and has not arrived. */
async function lateRefresh({ holdfast, net }) {
  const held = net.hold("/auth/refresh");
  const renewing = holdfast.renew(await holdfast.accessToken()).then(() => "renewed", ({ code }) => code);
  assert.equal(await held.arrived, 200);
  return { renewing, release: held.release };
}

/** The tokens of an instance are the newest of their session: their use, and theirs alone, goes on after the service's patience. */
async function staysSignedIn({ holdfast, client, options, ended, tokenStore }, id = holdfast.user.id) {
  assert.equal((await getMe({ client })).id, id);
  await advance(12);
  await holdfast.renew(await holdfast.accessToken());
  assert.equal((await getMe({ client })).id, id);
  assert.equal((await phone({ ...options, tokenStore }).resume()).id, id);
  assert.deepEqual(ended, []);
}

for (const [what, call] of [
  ["a step-up", ({ client }) => stepUp({ client, body: password })],
  ["signing in again", ({ client, email }) => signIn({ client, body: { email, password: PASSWORD } })],
]) {
  test(`A refresh whose answer comes late does not undo ${what}`, async () => {
    const alice = await caller("Alice");
    const { renewing, release } = await lateRefresh(alice);
    const calling = call(alice);
    await unless(calling);
    release();
    const { refresh_token } = await calling;
    assert.equal(await renewing, "renewed");
    assert.equal(await alice.tokenStore.get(TOKEN), refresh_token);
    await staysSignedIn(alice);
  });
}

test("A new second factor, whose answer comes late, and calls that meet their old token meanwhile", async () => {
  const alice = await caller("Alice");
  const { client, net, holdfast } = alice;
  const { secret } = await startTotp({ client });
  const held = net.hold("/me/mfa/totp/confirm");
  const confirming = confirmTotp({ client, body: { code: totp(secret, await advance(1)) } });
  assert.equal(await held.arrived, 200);
  // The service has ended the access token already.
  const reading = Promise.all([getMe({ client }), listProjects({ client }), holdfast.resume()]);
  await unless(reading);
  held.release();
  const { session } = await confirming;
  const [me, , resumed] = await reading;
  assert.deepEqual([me.id, resumed.id], [session.user.id, session.user.id]);
  await staysSignedIn(alice);
});

test("Bob signs in while a refresh of Alice's is under way, and it is Bob who is signed in", async () => {
  const alice = await caller("Alice");
  const { email, holdfast: elsewhere } = await somebody("Bob");
  const { renewing, release } = await lateRefresh(alice);
  const signing = signIn({ client: alice.client, body: { email, password: PASSWORD } });
  await unless(signing);
  release();
  const { refresh_token } = await signing;
  await renewing;
  assert.equal(alice.holdfast.user.id, elsewhere.user.id);
  assert.equal(await alice.tokenStore.get(TOKEN), refresh_token);
  await staysSignedIn(alice, elsewhere.user.id);
});

test("Two instances of one Keychain know of each other, though each has made a store of it", async () => {
  const kept = new Map();
  const keychain = {
    getItemAsync: async (key) => kept.get(key) ?? null,
    setItemAsync: async (key, value) => void kept.set(key, value),
    deleteItemAsync: async (key) => void kept.delete(key),
  };
  const alice = await caller("Alice", secureStore(keychain));
  const task = phone({ tokenStore: secureStore(keychain) });
  await task.resume();
  const { renewing, release } = await lateRefresh(alice);
  const proving = stepUp({ client: task.client, body: password });
  await unless(proving);
  release();
  const { refresh_token } = await proving;
  await renewing;
  assert.equal(kept.get(TOKEN), refresh_token);
  await getMe({ client: task.client });
  await staysSignedIn(alice);
});

test("Another process has stored newer tokens while a refresh was under way: they are the ones that count", async () => {
  const kept = new Map();
  const view = () => ({
    get: async (name) => kept.get(name) ?? null,
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  });
  const alice = await caller("Alice", view());
  const process = phone({ tokenStore: view() });
  await process.resume();
  const { renewing, release } = await lateRefresh(alice);
  await stepUp({ client: process.client, body: password });
  await getMe({ client: process.client });
  await advance(12); // longer than the service forgives a token that was replaced
  release();
  assert.equal(await renewing, "renewed");
  await staysSignedIn(alice);
});

test("A call whose new token is replaced at once, by a step-up elsewhere, goes on with the next", async () => {
  const { client, net, holdfast } = await caller("Alice");
  for (let round = 0; round < 2; round += 1) net.put("/me", () => problem(401, "token_expired"));
  assert.equal((await getMe({ client })).id, holdfast.user.id);
  assert.equal(net.sent.filter((call) => call === "POST /auth/refresh").length, 2);
  for (let round = 0; round < 9; round += 1) net.put("/me", () => problem(401, "token_expired"));
  await assert.rejects(getMe({ client }), { code: "token_expired" });
  assert.equal(net.sent.filter((call) => call === "GET /me").length, 6, "but not for ever");
});

test("A call whose token the service does not know any more, since its keys have changed, goes on with a new one", async () => {
  const { client, net, ended } = await caller("Alice");
  net.put("/projects", () => problem(401, "token_invalid"), 2);
  const [made] = await Promise.all([createProject({ client, body: { name: "Reef survey" } }), listProjects({ client })]);
  assert.equal(made.my_role, "owner");
  assert.equal(net.sent.filter((call) => call === "POST /auth/refresh").length, 1);
  assert.deepEqual(ended, []);
});

test("What Alice began is not done in Bob's name, when she signs out and he signs in on her phone", async () => {
  const { email } = await somebody("Bob");
  for (const [bobSignsIn, code] of [[true, "user_changed"], [false, "not_authenticated"]]) {
    const alice = await caller("Alice");
    const { client, net, holdfast } = alice;
    await advance(601); // her access token has expired
    const held = net.hold("/projects");
    const writing = createProject({ client, body: { name: "Alice's own" } }).then(() => "written", (error) => error.code);
    assert.equal(await held.arrived, 401);
    await holdfast.signOut();
    if (bobSignsIn) await signIn({ client, body: { email, password: PASSWORD } });
    held.release();
    assert.equal(await writing, code);
    assert.equal(net.sent.filter((call) => call === "POST /projects").length, 1);
    if (bobSignsIn) assert.deepEqual((await listProjects({ client })).items, []);
  }
});

test("Late word that the old session was ended does not end the new one", async () => {
  const alice = await caller("Alice");
  const { client, net, email, ended } = alice;
  const other = phone();
  await signIn({ client: other.client, body: { email, password: PASSWORD } });
  await revokeOtherSessions({ client: other.client });
  await advance(1); // facts of a session are remembered for a second at most
  const held = net.hold("/projects");
  const reading = listProjects({ client }).catch((error) => error.code);
  assert.equal(await held.arrived, 401);
  await signIn({ client, body: { email, password: PASSWORD } });
  held.release();
  assert.equal(await reading, "session_revoked");
  await getMe({ client });
  assert.deepEqual(ended, []);
});

test("Recovery codes are handed over though the session has ended meanwhile, and it stays ended", async () => {
  const { client, net, holdfast, ended } = await caller("Alice");
  const { secret } = await startTotp({ client });
  const held = net.hold("/me/mfa/totp/confirm");
  const confirming = confirmTotp({ client, body: { code: totp(secret, await advance(1)) } });
  await held.arrived;
  net.put("/me", () => problem(401, "session_revoked"));
  await assert.rejects(getMe({ client }), { code: "session_revoked" });
  held.release();
  assert.equal((await confirming).recovery_codes.length, 10);
  assert.deepEqual([holdfast.user, await holdfast.accessToken(), ended], [null, undefined, ["session_revoked"]]);
});

test("Who signs out while a refresh or a sign-in is under way is signed out, here and at the service", async () => {
  for (const path of ["/auth/refresh", "/auth/login"]) {
    const alice = await caller("Alice");
    const { holdfast, client, net, email, tokenStore, ended } = alice;
    const held = net.hold(path);
    const calling = path.endsWith("login")
      ? signIn({ client, body: { email, password: PASSWORD } })
      : holdfast.renew(await holdfast.accessToken()).catch(({ code }) => assert.equal(code, "not_authenticated"));
    await held.arrived;
    const leaving = holdfast.signOut();
    await unless(leaving);
    held.release();
    const given = await calling;
    await leaving;
    assert.deepEqual([holdfast.user, await holdfast.accessToken(), await tokenStore.get(TOKEN)], [null, undefined, null]);
    assert.deepEqual(ended, ["signed_out"]);
    if (!given) continue;
    await tokenStore.set(TOKEN, given.refresh_token);
    assert.equal(await phone({ tokenStore }).resume(), null, "the service has ended that session");
  }
});

test("Who signs out and closes the app before the service has answered is signed out", async () => {
  const { holdfast, net, tokenStore } = await caller("Alice");
  const held = net.hold("/auth/logout");
  const leaving = holdfast.signOut();
  await held.arrived;
  assert.equal(await tokenStore.get(TOKEN), null);
  held.release();
  await leaving;
});

test("A call waits for a refresh as long as its signal and its deadline let it, and the refresh goes on", async () => {
  const alice = await caller("Alice");
  const { client, net, holdfast, tokenStore } = alice;
  const restarted = phone({ tokenStore, fetch: net.fetch });
  const before = net.sent.length;
  const gone = AbortSignal.abort(new Error("left before"));
  await assert.rejects(getMe({ client: restarted.client, signal: gone }), /left before/);
  assert.equal(net.sent.length, before, "nothing is begun for who has left");

  const held = net.hold("/auth/refresh");
  const leave = new AbortController();
  const { client: waiting } = restarted;
  const ends = Promise.all([
    assert.rejects(getMe({ client: waiting, signal: leave.signal }), /left meanwhile/),
    assert.rejects(stepUp({ client: waiting, body: password, signal: leave.signal }), /left meanwhile/),
    assert.rejects(getMe({ client: waiting, meta: { deadline: 50 } }), { code: "timeout", isNetworkError: true }),
  ]);
  const patient = getMe({ client: waiting });
  await held.arrived;
  leave.abort(new Error("left meanwhile"));
  await ends;
  held.release();
  assert.equal((await patient).id, holdfast.user.id);
  assert.ok(!net.sent.includes("POST /auth/step-up"));
  await getMe({ client });
});
