// The package under React Native's Jest preset: its own module resolution, its FormData, a stand-in for the Keychain.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHoldfast, createProject, deleteProject, fileForm, getMe, keychainStore, secureStore, signIn } from "@holdfast/client";
import { upload } from "@holdfast/client/uploads";
import * as FormDataModule from "react-native/Libraries/Network/FormData";

const baseUrl = `${process.env.URL}/api/v1`;
const alice = { email: "alice@example.com", password: "kelp-grips-the-rock" };

/** What expo-secure-store does, without a phone. */
function keychain() {
  const kept = new Map();
  return {
    kept,
    getItemAsync: async (key) => kept.get(key) ?? null,
    setItemAsync: async (key, value) => void kept.set(key, value),
    deleteItemAsync: async (key) => void kept.delete(key),
  };
}

test("Alice signs in on her phone, closes the app, and is still signed in", async () => {
  const SecureStore = keychain();
  const sent = [];
  const noting = async (input, init) => {
    sent.push({ path: new URL(input.url).pathname, credentials: input.credentials });
    return fetch(input, init);
  };
  const options = { baseUrl, transport: "body", tokenStore: secureStore(SecureStore), fetch: noting };
  const { client } = createHoldfast(options);
  await signIn({ client, body: alice });
  expect(SecureStore.kept.get("holdfast.refresh_token")).toMatch(/^hfr1\./);
  for (const key of SecureStore.kept.keys()) expect(key).toMatch(/^[\w.-]+$/); // what SecureStore takes

  const restarted = createHoldfast(options);
  expect((await restarted.resume()).display_name).toBe("Alice");
  expect((await getMe({ client: restarted.client })).email).toBe(alice.email);
  expect(sent.every(({ credentials }) => credentials === "omit")).toBe(true);

  await restarted.signOut();
  expect(SecureStore.kept.has("holdfast.refresh_token")).toBe(false);
});

test("It needs no more than React Native's own Request, Response and Headers", async () => {
  const { Headers, Request, Response } = jest.requireActual("whatwg-fetch");
  const before = { Request: globalThis.Request, Response: globalThis.Response, Headers: globalThis.Headers };
  const sent = [];
  // What Node's fetch has to do for the XMLHttpRequest of a phone.
  const bridged = async (input, init) => {
    const request = new Request(input, init);
    const { url, method, signal } = request;
    const headers = Object.fromEntries(request.headers.entries());
    const answer = await fetch(url, { method, headers, signal, body: request._bodyInit });
    sent.push([method, new URL(url).pathname.replace("/api/v1", ""), answer.status, headers["idempotency-key"]]);
    if (sent.length === 2) throw new TypeError("Network request failed");
    return new Response(await answer.text(), { status: answer.status, headers: Object.fromEntries(answer.headers) });
  };
  Object.assign(globalThis, { Headers, Request, Response });
  try {
    const holdfast = createHoldfast({ baseUrl, transport: "body", fetch: bridged });
    const { client } = holdfast;
    await signIn({ client, body: alice });
    const made = await createProject({ client, body: { name: "From a phone" } }); // its first answer is lost
    await deleteProject({ client, path: { project_id: made.id } });
    await expect(createProject({ client, body: { name: "" } })).rejects.toMatchObject({
      name: "ApiError", code: "validation_failed", fieldErrors: [{ name: "name", type: "too_short" }],
    });
    expect(sent.slice(1, 3).map(([method, path, status]) => [method, path, status])).toEqual(Array(2).fill(["POST", "/projects", 201]));
    expect(new Set(sent.slice(1, 3).map(([, , , key]) => key)).size).toBe(1);
  } finally {
    Object.assign(globalThis, before);
  }
});

test("A photo of the picker becomes a part that React Native reads by its address", () => {
  const before = globalThis.FormData;
  globalThis.FormData = FormDataModule.default;
  try {
    const { body, bodySerializer } = fileForm({ uri: "file:///DCIM/IMG_0042.jpg", name: null, type: "image/jpeg" });
    const [part] = bodySerializer(body).getParts();
    expect(part).toMatchObject({ uri: "file:///DCIM/IMG_0042.jpg", name: "IMG_0042.jpg", type: "image/jpeg", fieldName: "file" });
    expect(part.headers["content-disposition"]).toBe('form-data; name="file"; filename="IMG_0042.jpg"');

    class ExpoFile {
      get uri() { return "content://media/7"; }
      get name() { return "reef.mp4"; }
      get type() { return "video/mp4"; }
    }
    const [expo] = fileForm(new ExpoFile()).bodySerializer().getParts();
    expect(expo).toMatchObject({ uri: "content://media/7", name: "reef.mp4", type: "video/mp4" });
  } finally {
    globalThis.FormData = before;
  }
});

test("react-native-keychain keeps each token as a service of its own", async () => {
  const kept = new Map();
  const store = keychainStore({
    getGenericPassword: async ({ service }) => (kept.has(service) ? { username: "holdfast", password: kept.get(service) } : false),
    setGenericPassword: async (_username, password, { service }) => kept.set(service, password),
    resetGenericPassword: async ({ service }) => kept.delete(service),
  });
  const { client } = createHoldfast({ baseUrl, transport: "body", tokenStore: store });
  await signIn({ client, body: alice });
  expect([...kept.keys()].sort()).toEqual(["holdfast.device_token", "holdfast.refresh_token"]);
  expect((await createHoldfast({ baseUrl, transport: "body", tokenStore: store }).resume()).display_name).toBe("Alice");
});

/** What React Native has in the place of fetch: an XMLHttpRequest that reads files by their address as well. */
function phonesRequest(sent) {
  return class {
    upload = {};
    #headers = {};
    #leave = new AbortController();
    open(method, url) {
      Object.assign(this, { method, url });
    }
    setRequestHeader(name, value) {
      this.#headers[name] = value;
    }
    getResponseHeader(name) {
      return this.answer.headers.get(name);
    }
    abort() {
      this.#leave.abort();
    }
    async send(body) {
      try {
        if (this.url.startsWith("file:")) {
          this.response = new Blob([readFileSync(new URL(this.url))]);
        } else {
          sent.push([this.method, this.#headers["Upload-Offset"], body?.size]);
          const { method } = this;
          this.answer = await fetch(this.url, { method, headers: this.#headers, body, signal: this.#leave.signal });
          if (sent.filter(([word]) => word === "PATCH").length === 2 && method === "PATCH") throw new TypeError("lost");
          this.status = this.answer.status;
          this.responseText = await this.answer.text();
          this.upload.onprogress?.({ lengthComputable: true, loaded: body?.size ?? 0 });
        }
        this.onload();
      } catch (error) {
        this.onerror(error);
      }
    }
  };
}

test("A film of the picker is read by its address and sent in chunks, on from where the network broke off", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-native-"));
  const before = { XMLHttpRequest: globalThis.XMLHttpRequest, navigator: globalThis.navigator };
  const put = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const sent = [];
  try {
    put("XMLHttpRequest", phonesRequest(sent));
    put("navigator", { product: "ReactNative" });
    const bytes = Buffer.from(randomBytes(150_000).toString("hex"));
    writeFileSync(join(folder, "reef 1.txt"), bytes);
    const holdfast = createHoldfast({ baseUrl, transport: "body" });
    const { client } = holdfast;
    await signIn({ client, body: alice });
    const { id: projectId } = await createProject({ client, body: { name: "Films" } });
    const kept = new Map();
    const storage = {
      getItem: async (key) => kept.get(key) ?? null,
      setItem: async (key, value) => void kept.set(key, value),
      removeItem: async (key) => void kept.delete(key),
    };
    const progress = [];
    const film = { uri: `file://${folder}/reef%201.txt`, name: null, type: "text/plain" };
    const onProgress = (done) => progress.push(done);
    const stored = await upload(holdfast, film, { projectId, storage, chunkSize: 100_000, onProgress });
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(stored).toMatchObject({ name: "reef 1.txt", size: bytes.length, sha256 });
    expect(sent.map(([method, offset]) => `${method} ${offset ?? ""}`.trim())).toEqual(
      ["POST", "PATCH 0", "PATCH 100000", "HEAD", "PATCH 200000"],
    );
    expect(progress.at(-1)).toBe(bytes.length);
    expect(kept.size).toBe(0);

    writeFileSync(join(folder, "empty.txt"), "");
    const nothing = { uri: `file://${folder}/empty.txt`, name: "empty.txt", type: "text/plain" };
    await expect(upload(holdfast, nothing, { projectId })).rejects.toMatchObject({ message: "The file is empty." });
  } finally {
    for (const [name, value] of Object.entries(before)) put(name, value);
    rmSync(folder, { recursive: true });
  }
});
