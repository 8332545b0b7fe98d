// Uploads: by form, and by tus over what breaks off.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createProject, downloadFile, fileForm, memoryStore, signIn, uploadFile } from "@holdfast/client";
import { upload } from "@holdfast/client/uploads";
import { advance, alice, noting, PASSWORD, phone, somebody, url } from "./service.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const text = (size) => Buffer.from("The reef at low tide.\n".repeat(Math.ceil(size / 22))).subarray(0, size);

test("A form uploads a file once, also when its answer is lost", async () => {
  const noted = [];
  let lost = false;
  const holdfast = await alice({
    fetch: async (input, init) => {
      const answer = await noting(noted)(input, init);
      if (input.url.endsWith("/files") && !lost) {
        lost = true;
        throw new TypeError("fetch failed");
      }
      return answer;
    },
  });
  const { client } = holdfast;
  const { id } = await createProject({ client, body: { name: "Reef survey" } });
  const file = new File([text(5000)], "survey.txt", { type: "text/plain" });
  const stored = await uploadFile({ client, path: { project_id: id }, ...fileForm(file) });
  assert.deepEqual([stored.name, stored.size, stored.sha256], ["survey.txt", 5000, sha256(text(5000))]);
  assert.deepEqual(noted.filter(({ call }) => call.endsWith("/files")).map(({ replayed }) => replayed), [null, "true"]);
  const content = await downloadFile({ client, path: { project_id: id, file_id: stored.id }, parseAs: "text" });
  assert.equal(content, text(5000).toString());
});

test("An upload whose process is killed goes on in the next one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-upload-"));
  try {
    const tokenStore = memoryStore();
    const holdfast = await alice({ tokenStore });
    const { id: projectId } = await createProject({ client: holdfast.client, body: { name: "Long film" } });
    const bytes = text(12 * 2 ** 20);
    writeFileSync(join(folder, "reef.txt"), bytes);
    const storage = join(folder, "uploads.json");
    const facts = { folder, projectId, token: await tokenStore.get("holdfast.refresh_token"), storage };
    const child = spawn(process.execPath, [new URL("uploading.mjs", import.meta.url).pathname], {
      env: { ...process.env, URL: url, FACTS: JSON.stringify(facts) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.on("data", (told) => String(told).includes("half") && resolve()));
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    assert.ok(existsSync(storage));

    await tokenStore.set("holdfast.refresh_token", readFileSync(join(folder, "token"), "utf8"));
    const next = phone({ tokenStore });
    await next.resume();
    await advance(601); // and its access token has expired
    const file = new File([bytes], "reef.txt", { type: "text/plain", lastModified: 0 });
    const progress = [];
    const options = { projectId, storage: await kept(storage), chunkSize: 2 ** 20, onProgress: (sent) => progress.push(sent) };
    const stored = await upload(next, file, options);
    assert.deepEqual([stored.name, stored.size, stored.sha256], ["reef.txt", bytes.length, sha256(bytes)]);
    assert.ok(progress[0] >= 3 * 2 ** 20, `it began at ${progress[0]}`);
    assert.equal(progress.at(-1), bytes.length);
    assert.equal(readFileSync(storage, "utf8"), "{}");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("An upload whose connection is dead goes on with another one", async () => {
  const { holdfast, client } = await somebody("Dana");
  const { id: projectId } = await createProject({ client, body: { name: "Film" } });
  for (const silent of ["PATCH", "HEAD", "POST"]) {
    const calls = [];
    // What is sent into this network vanishes once; what comes before breaks off, where there has to be a HEAD.
    const server = createServer((incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      calls.push(method);
      const first = calls.filter((each) => each === method).length === 1;
      if (silent === "HEAD" && method === "PATCH" && first) return outgoing.destroy();
      if (method === silent && first) return incoming.resume();
      const onward = ask(url + path, { method, headers: { ...headers, host: new URL(url).host } }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address();
    const there = client.getConfig().baseUrl;
    client.setConfig({ baseUrl: `http://127.0.0.1:${port}/api/v1` });
    const file = new File([text(3000)], `${silent}.txt`, { type: "text/plain" });
    const stored = await upload(holdfast, file, { projectId, timeout: 1000 });
    assert.equal(stored.sha256, sha256(text(3000)));
    assert.equal(calls.filter((each) => each === silent).length, 2);
    client.setConfig({ baseUrl: there });
    server.closeAllConnections();
    server.close();
  }
});

test("An upload ends at its caller's wish, and a refusal says why", async () => {
  const holdfast = await alice();
  const { id: projectId } = await createProject({ client: holdfast.client, body: { name: "Stopped" } });
  const stop = new AbortController();
  const file = new File([text(4 * 2 ** 20)], "reef.txt", { type: "text/plain" });
  const onProgress = (sent) => sent > 2 ** 20 && stop.abort(new Error("left the screen"));
  await assert.rejects(upload(holdfast, file, { projectId, chunkSize: 2 ** 20, signal: stop.signal, onProgress }), /left the screen/);

  const program = new File([Buffer.from("MZ not a picture")], "picture.png", { type: "image/png" });
  await assert.rejects(upload(holdfast, program, { projectId }), { code: "file_type_not_allowed", status: 415 });
  const nothing = new File([], "empty.txt", { type: "text/plain" });
  await assert.rejects(upload(holdfast, nothing, { projectId }), { code: "file_type_not_allowed", message: "The file is empty." });
  const elsewhere = { projectId: "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02" };
  await assert.rejects(upload(holdfast, file, elsewhere), { code: "not_found", status: 404 });
});

test("An upload ends with its person: whoever signs in next does not finish it", async () => {
  const holdfast = await alice();
  const { email } = await somebody("Bob");
  const { client } = holdfast;
  const { id: projectId } = await createProject({ client, body: { name: "Alice's film" } });
  let changing;
  const sent = [];
  const onProgress = (bytes, total) => {
    sent.push(bytes);
    if (bytes < 2 ** 20 || bytes === total) return;
    changing ??= holdfast.signOut().then(() => signIn({ client, body: { email, password: PASSWORD } }));
  };
  /** A file of which the second part is read when Bob is signed in. */
  class Slow extends File {
    slice(start, end) {
      const part = super.slice(start, end);
      return Object.assign(part, { arrayBuffer: async () => { await changing; return new Blob([part]).arrayBuffer(); } });
    }
  }
  const file = new Slow([text(3 * 2 ** 20)], "reef.txt", { type: "text/plain" });
  await assert.rejects(upload(holdfast, file, { projectId, chunkSize: 2 ** 20, onProgress }), { code: "user_changed" });
  assert.ok(sent.at(-1) < file.size);
});

async function kept(path) {
  const { onDisk } = await import("./uploading.mjs");
  return onDisk(path);
}
