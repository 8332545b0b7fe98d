// Answers that begin and do not end, and files whatever is in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createProject, downloadFile, fileForm, getMe, memoryStore, signIn, uploadFile } from "@holdfast/client";
import { network } from "./network.mjs";
import { PASSWORD, phone, somebody } from "./service.mjs";

const begin = new TextEncoder().encode("<h1>One moment");

/** An answer whose first bytes arrive; `then` says what happens to the rest, which never comes when left out. */
const begun = (status, type, then = () => new Promise(() => {})) => () =>
  new Response(new ReadableStream({ start: (body) => body.enqueue(begin), pull: then }), { status, headers: { "Content-Type": type } });

test("A page that never ends, in the place of an answer, holds nobody up", async () => {
  const net = network();
  const tokenStore = memoryStore();
  const { client, email } = await somebody("Dana", { tokenStore });
  const hurried = phone({ tokenStore, fetch: net.fetch, retry: { timeout: 1000, attempts: 2 } });
  net.put("/auth/refresh", begun(200, "text/html"));
  await assert.rejects(hurried.resume(), { code: "network_error" });
  net.put("/auth/refresh", begun(502, "text/html"));
  assert.equal((await hurried.resume()).email, email);
  net.put("/me", begun(502, "text/html"), 2);
  await assert.rejects(getMe({ client: hurried.client, meta: { timeout: 50 } }), { code: "timeout", isNetworkError: true });
  net.put("/auth/logout", begun(503, "text/html"));
  await hurried.signOut();
  await signIn({ client, body: { email, password: PASSWORD } });
});

test("A file is a blob as it was sent, whatever is in it, and also when the network breaks off within it", async () => {
  const net = network();
  const { client } = await somebody("Dana", { fetch: net.fetch });
  const { id } = await createProject({ client, body: { name: "Reef survey" } });
  const bytes = new TextEncoder().encode("\ufeff{ no JSON");
  let last;
  for (const [name, type] of [["survey.json", "application/json"], ["survey.txt", "text/plain"], ["survey.csv", "text/csv"]]) {
    const { id: file_id } = await uploadFile({ client, path: { project_id: id }, ...fileForm(new File([bytes], name, { type })) });
    last = { client, path: { project_id: id, file_id } };
    const content = await downloadFile(last);
    assert.ok(content instanceof Blob, name);
    assert.deepEqual(new Uint8Array(await content.arrayBuffer()), bytes);
  }
  net.put("/content", begun(200, "text/plain", (body) => body.error(new TypeError("terminated"))));
  assert.equal((await downloadFile(last)).size, bytes.length);
  net.put("/content", begun(200, "text/plain"), 5);
  await assert.rejects(downloadFile({ ...last, meta: { timeout: 50 } }), { code: "timeout", isNetworkError: true });
  const leave = new AbortController();
  net.put("/content", begun(200, "text/plain", () => leave.abort(new Error("left"))));
  await assert.rejects(downloadFile({ ...last, signal: leave.signal }), /left/);
});

test("A file may take longer than a try, as long as it comes, and a stream is read by its caller", async () => {
  const net = network();
  const { client } = await somebody("Dana", { fetch: net.fetch });
  const path = { project_id: crypto.randomUUID(), file_id: crypto.randomUUID() };
  let parts = 0;
  const slowly = (body) => new Promise((resolve) => setTimeout(() => {
    if (++parts < 6) body.enqueue(begin);
    else body.close();
    resolve();
  }, 300));
  net.put("/content", begun(200, "application/json", slowly));
  const content = await downloadFile({ client, path, meta: { timeout: 1400, deadline: 1400 } });
  assert.equal(content.size, 6 * begin.length);
  net.put("/content", begun(200, "application/json"));
  const stream = await downloadFile({ client, path, parseAs: "stream" });
  assert.deepEqual((await stream.getReader().read()).value, begin);
});
