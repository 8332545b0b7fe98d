// A web app on another origin uploads a browser's File; its tab is closed half-way, and the next one goes on from localStorage.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { facts, finish, open, url } from "./browser.mjs";

const script = await readFile(facts.bundle);
const app = `<!doctype html><meta charset="utf-8"><title>Upload</title><script src="/app.js"></script>
<script>
  const holdfast = Holdfast.createHoldfast({ baseUrl: "${url}/api/v1", transport: "cookie" });
  const told = { sent: [], done: null };
  const file = new File(["The reef at low tide.\\n".repeat(400_000)], "reef.txt", { type: "text/plain", lastModified: 7 });
  const start = async (projectId) => {
    await holdfast.resume();
    const onProgress = (sent) => told.sent.push(sent);
    told.done = await Holdfast.upload(holdfast, file, { projectId, chunkSize: 2 ** 20, onProgress });
  };
</script>`;
const server = createServer((request, response) => {
  const isScript = request.url === "/app.js";
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html; charset=utf-8");
  response.end(isScript ? script : request.url === "/" ? app : "");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const one = await open(origin);
const signIn = { email: "alice@example.com", password: facts.password };
await one.evaluate(`Holdfast.signIn({ client: holdfast.client, body: ${JSON.stringify(signIn)} })`);
const projectId = await one.evaluate(`Holdfast.createProject({ client: holdfast.client, body: { name: "Film" } }).then(({ id }) => id)`);
const small = await one.evaluate(`Holdfast.uploadFile({
  client: holdfast.client, path: { project_id: "${projectId}" }, ...Holdfast.fileForm(new File(["Low tide."], "note.txt", { type: "text/plain" })),
})`);
await one.evaluate(`void start("${projectId}")`);
await one.waitForFunction("told.sent.at(-1) > 4 * 2 ** 20");
const kept = await one.evaluate("Object.keys(localStorage).length");
const two = await one.context().newPage();
await one.close();
await two.goto(origin);
await two.evaluate(`void start("${projectId}")`);
await two.waitForFunction("told.done");
const told = await two.evaluate("({ ...told, size: file.size, left: Object.keys(localStorage).length })");
server.close();
await finish({ small, kept, first: told.sent[0], last: told.sent.at(-1), done: told.done, size: told.size, left: told.left });
