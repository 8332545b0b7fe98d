// Stores that fail, and stores that never answer: an error of this package, and nobody is signed out by it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError, memoryStore, signIn } from "@holdfast/client";
import { hurry } from "./network.mjs";
import { PASSWORD, phone, somebody } from "./service.mjs";

const TOKEN = "holdfast.refresh_token";
const DEVICE = "holdfast.device_token";

/** A Keychain that does as it is told: `fails(what, name)` gives what happens in the place of an answer. */
function keychain() {
  const kept = memoryStore();
  const store = { fails: () => undefined };
  for (const what of ["get", "set", "remove"]) store[what] = (name, value) => store.fails(what, name) ?? kept[what](name, value);
  return { store, kept };
}

const failed = (error) => isApiError(error, "store_failed") && !error.isNetworkError && /locked/.test(error.cause.message);
const locked = () => Promise.reject(new Error("The Keychain is locked."));

test("What a store throws is the cause of an ApiError, and with the store mended everybody is still there", async () => {
  const { store } = keychain();
  const ended = [];
  const { holdfast, client, email } = await somebody("Alice", { tokenStore: store, onSignedOut: (reason) => ended.push(reason) });
  const renew = async () => holdfast.renew(await holdfast.accessToken());
  for (const what of ["get", "set"]) {
    store.fails = (asked) => (asked === what ? locked() : undefined);
    await assert.rejects(renew(), failed);
    await assert.rejects(signIn({ client, body: { email, password: PASSWORD } }), failed);
  }
  store.fails = () => { throw new Error("The Keychain is locked."); };
  await assert.rejects(renew(), failed);
  store.fails = () => undefined;
  await renew();
  assert.equal((await phone({ tokenStore: store }).resume()).email, email);
  assert.deepEqual(ended, []);

  store.fails = (asked) => (asked === "remove" ? locked() : undefined);
  await assert.rejects(holdfast.signOut(), failed);
  assert.deepEqual([holdfast.user, ended], [null, ["signed_out"]]);
});

test("A store that never answers is waited for ten seconds, and keeps nobody from what comes after", async () => {
  const { store } = keychain();
  const { holdfast, client, email } = await somebody("Alice", { tokenStore: store });
  const used = await holdfast.accessToken();
  for (const work of [
    () => holdfast.renew(used),
    () => signIn({ client, body: { email, password: PASSWORD } }),
    () => holdfast.signOut(),
  ]) {
    store.fails = () => new Promise(() => {});
    await hurry(10_000, () => assert.rejects(work(), { code: "store_failed" }));
  }
  store.fails = () => undefined;
  assert.equal((await signIn({ client, body: { email, password: PASSWORD } })).user.email, email);
});

test("A device token that cannot be kept fails no sign-in", async () => {
  const { store, kept } = keychain();
  store.fails = (what, name) => (what === "set" && name === DEVICE ? locked() : undefined);
  const { holdfast, client, email } = await somebody("Alice", { tokenStore: store });
  const { refresh_token } = await signIn({ client, body: { email, password: PASSWORD } });
  assert.deepEqual([await kept.get(TOKEN), await kept.get(DEVICE)], [refresh_token, null]);
  assert.equal(holdfast.user.email, email);
});
