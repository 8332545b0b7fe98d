// The service is killed while it has a write in hand, and started again: the client's repetition writes once.
import assert from "node:assert/strict";
import { createServer, request as ask } from "node:http";
import { test } from "node:test";
import { createProject, listProjects, paginate } from "@holdfast/client";
import { noting, phone, somebody, url } from "./service.mjs";

/** A network between phone and service; `meddle` says when it does more than hand on. */
async function network(meddle) {
  const server = createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", async () => {
      const forward = () => new Promise((resolve, reject) => {
        const { hostname, port } = new URL(url);
        const options = { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers };
        const onward = ask(options, (answer) => {
          const parts = [];
          answer.on("data", (part) => parts.push(part));
          answer.on("end", () => resolve({ answer, body: Buffer.concat(parts) }));
          answer.on("error", reject);
        });
        onward.on("error", reject);
        onward.end(Buffer.concat(chunks));
      });
      const handOn = ({ answer, body }) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        outgoing.end(body);
      };
      await meddle(incoming, { forward, handOn }).catch(() => outgoing.destroy());
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { base: `http://127.0.0.1:${server.address().port}/api/v1`, close: () => server.close() };
}

const restart = () => fetch(process.env.RESTART, { method: "POST" });
const isCreate = ({ method, url }) => method === "POST" && url === "/api/v1/projects";

async function projectsAfter(meddle) {
  const { client, holdfast } = await somebody("Lena");
  const noted = [];
  let meddled = false;
  const { base, close } = await network(async (incoming, hands) => {
    if (isCreate(incoming) && !meddled) {
      meddled = true;
      return meddle(hands);
    }
    hands.handOn(await hands.forward());
  });
  const other = phone({ baseUrl: base, fetch: noting(noted) });
  const headers = { Authorization: `Bearer ${await holdfast.accessToken()}`, Host: new URL(url).host };
  const made = await createProject({ client: other.client, headers, body: { name: "Made through a restart" } });
  close();
  const found = [];
  for await (const { id } of paginate(listProjects, { client })) found.push(id);
  assert.deepEqual(found, [made.id]);
  assert.ok(meddled);
  return noted;
}

test("Killed after the write, before the answer: the repetition gets the first answer", async () => {
  const noted = await projectsAfter(async ({ forward }) => {
    await forward(); // it is written
    await restart();
    throw new Error("The connection broke.");
  });
  assert.equal(noted.at(-1).replayed, "true");
});

test("Killed while the write is under way: one project, whether it had been written or not", async () => {
  await projectsAfter(async ({ forward }) => {
    await Promise.all([forward(), restart()]);
    throw new Error("The connection broke.");
  });
});
