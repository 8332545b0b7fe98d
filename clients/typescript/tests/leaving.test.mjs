// Signing out: at once on the device, soon at the service, and for the session that it is about alone.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createHoldfast, getMe, listSessions, memoryStore, signIn } from "@holdfast/client";
import { hurry, network, page } from "./network.mjs";
import { advance, baseUrl, PASSWORD, phone, somebody } from "./service.mjs";

const TOKEN = "holdfast.refresh_token";

/** Lets the answer to a path never come; what it gives is awaited until the request is there. */
function blackHole(net, path) {
  return new Promise((arrive) => net.put(path, () => {
    arrive();
    return new Promise(() => {});
  }));
}

test("Who signs out in a black hole is signed out at once, and waits five seconds for the service at most", async () => {
  const [net, tokenStore, ended] = [network(), memoryStore(), []];
  const { holdfast, client } = await somebody("Alice", { tokenStore, fetch: net.fetch, onSignedOut: (reason) => ended.push(reason) });
  const asked = blackHole(net, "/auth/logout");
  await hurry(5000, async () => {
    const leaving = holdfast.signOut();
    assert.deepEqual([holdfast.user, ended], [null, ["signed_out"]]);
    await assert.rejects(getMe({ client }), { code: "not_authenticated" });
    await asked;
    assert.equal(await tokenStore.get(TOKEN), null);
    await leaving;
  });
  assert.deepEqual(ended, ["signed_out"]);
});

test("The token goes at once, though a refresh keeps everybody waiting", async () => {
  const [net, tokenStore] = [network(), memoryStore()];
  const { holdfast } = await somebody("Alice", { tokenStore, fetch: net.fetch });
  const held = net.hold("/auth/refresh");
  holdfast.renew(await holdfast.accessToken()).catch(() => {});
  await held.arrived;
  await hurry(5000, () => holdfast.signOut());
  assert.equal(await tokenStore.get(TOKEN), null);
  held.release();
});

test("With a cookie, which only the service can take away, who could not tell it is told so, and may try again", async () => {
  const { email, client: other } = await somebody("Alice");
  const [net, ended] = [network(), []];
  const web = createHoldfast({ baseUrl, transport: "cookie", fetch: net.fetch, onSignedOut: (reason) => ended.push(reason) });
  await signIn({ client: web.client, body: { email, password: PASSWORD } });
  net.put("/auth/logout", page);
  await assert.rejects(web.signOut(), { code: "network_error" });
  assert.deepEqual([web.user, ended], [null, ["signed_out"]]);
  assert.equal((await listSessions({ client: other })).items.length, 2);
  await web.signOut();
  assert.deepEqual(ended, ["signed_out"]);
  assert.equal((await listSessions({ client: other })).items.length, 1);

  const { holdfast } = await somebody("Bob", { fetch: net.fetch });
  net.put("/auth/logout", page);
  await holdfast.signOut(); // nothing of it is left on a phone
});

test("Alice's sign-out ends her session, and leaves Bob's, whose token is in the store by now", async () => {
  for (const looks of [false, true]) {
    const [tokenStore, ended] = [memoryStore(), []];
    const options = { tokenStore, onSignedOut: (reason) => ended.push(reason) };
    const alice = await somebody("Alice", options);
    const bob = await somebody("Bob", options);
    const elsewhere = phone();
    await signIn({ client: elsewhere.client, body: { email: alice.email, password: PASSWORD } });
    if (looks) await assert.rejects(alice.holdfast.renew(await alice.holdfast.accessToken()), { code: "user_changed" });
    const kept = await tokenStore.get(TOKEN);
    await alice.holdfast.signOut();
    await alice.holdfast.signOut();
    assert.equal(await tokenStore.get(TOKEN), kept);
    await advance(1); // facts of a session are remembered for a second at most
    assert.equal((await getMe({ client: bob.client })).email, bob.email);
    assert.equal((await listSessions({ client: elsewhere.client })).items.length, 1);
    assert.deepEqual(ended, ["signed_out"]);
  }
});

test("Alice's sign-out leaves Bob's cookie, once it is known to be his", async () => {
  const { email, client: elsewhere } = await somebody("Alice");
  const { holdfast: bob } = await somebody("Bob");
  const [net, credentials] = [network(), []];
  const noting = (input, init) => {
    if (input.url.endsWith("/auth/logout")) credentials.push(input.credentials);
    return net.fetch(input, init);
  };
  const web = createHoldfast({ baseUrl, transport: "cookie", fetch: noting });
  await signIn({ client: web.client, body: { email, password: PASSWORD } });
  net.put("/auth/refresh", () => Response.json({ access_token: "his", user: bob.user }));
  await assert.rejects(web.renew(await web.accessToken()), { code: "user_changed" });
  await web.signOut();
  assert.deepEqual(credentials, ["omit"]);
  assert.equal((await listSessions({ client: elsewhere })).items.length, 1);
});

test("An instance signs out with the newer token of its session that another process has stored", async () => {
  const kept = new Map();
  const view = () => ({
    get: async (name) => kept.get(name) ?? null,
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  });
  const { holdfast } = await somebody("Alice", { tokenStore: view() });
  const process = phone({ tokenStore: view() });
  await process.resume();
  await holdfast.signOut();
  assert.equal(kept.get(TOKEN), undefined);
});

test("A fault of the app in what it is told does not become one of the sign-out", async () => {
  const shown = mock.method(console, "error", () => {});
  const { holdfast } = await somebody("Alice", { onSignedOut: () => { throw new Error("a fault of the app"); } });
  await holdfast.signOut();
  assert.match(String(shown.mock.calls[0].arguments[0]), /a fault of the app/);
  shown.mock.restore();
});
