// Two tabs of a web app on another origin, with @holdfast/client and the cookie transport.
import { readFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import { facts, finish, open, url } from "./browser.mjs";

const script = await readFile(facts.bundle);

// The network between the tabs and the service: it can keep the answer to a refresh on its way.
let held = null;
const network = createServer((incoming, outgoing) => {
  const { method, headers, url: path } = incoming;
  incoming.pipe(ask(new URL(path, url), { method, headers }, async (answer) => {
    if (held && method === "POST" && path.endsWith("/auth/refresh")) {
      held.arrive();
      await held.released;
    }
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  }));
});
await new Promise((ready) => network.listen(0, "127.0.0.1", ready));
const api = `http://127.0.0.1:${network.address().port}`;
function hold() {
  held = {};
  held.arrived = new Promise((resolve) => { held.arrive = resolve; });
  held.released = new Promise((resolve) => { held.release = resolve; });
  return held;
}

const app = `<!doctype html><meta charset="utf-8"><title>Tabs</title><script src="/app.js"></script>
<script>
  const told = { ended: [], met: [] };
  const holdfast = Holdfast.createHoldfast({
    baseUrl: "${api}/api/v1", transport: "cookie",
    onSignedOut: (reason) => told.ended.push(reason), onUserChanged: (user) => told.met.push(user.id),
  });
  const { client } = holdfast;
  const signIn = (email) => Holdfast.signIn({ client, body: { email, password: ${JSON.stringify(facts.password)} } });
  const me = () => Holdfast.getMe({ client }).then(({ email }) => email, ({ code }) => code);
  const again = async () => { await holdfast.renew(await holdfast.accessToken()); return me(); };
</script>`;
const server = createServer((request, response) => {
  const isScript = request.url === "/app.js";
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html; charset=utf-8");
  response.end(isScript ? script : request.url === "/" ? app : "");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const one = await open(origin);
const two = await one.context().newPage();
const refreshes = [];
one.context().on("response", (answer) => {
  if (answer.url().endsWith("/auth/refresh")) refreshes.push(answer.status());
});
await two.goto(origin);
const both = (work) => Promise.all([one.evaluate(work), two.evaluate(work)]);

const nobody = await one.evaluate("holdfast.resume()");
await one.evaluate("signIn('alice@example.com')");
const resumed = await two.evaluate("holdfast.resume().then((user) => user.email)");
refreshes.length = 0;
const rounds = [];
for (let round = 0; round < 10; round += 1) rounds.push(...(await both("again()")));
const renewed = refreshes.splice(0);

await fetch(`${url}/dev/clock`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"advance_seconds": 601}' });
await new Promise((resolve) => setTimeout(resolve, 1200)); // each process of the service looks at the clock once a second
const expired = await both("Promise.all([me(), me(), me()])");
const afterExpiry = refreshes.splice(0);
const quiet = await both("JSON.stringify(told)");

await one.evaluate("holdfast.signOut()");
await two.waitForFunction("told.ended.length > 0");
const ended = await both("told.ended");
const after = [await two.evaluate("me()"), await two.evaluate("holdfast.resume()")];

await one.evaluate("signIn('alice@example.com')");
const first = await two.evaluate("holdfast.resume().then((user) => user.email)");
await one.evaluate("told.met.length = 0");
const charlie = await two.evaluate("signIn('charlie@example.com').then(({ user }) => user.id)");
await one.waitForFunction("told.met.length > 0");
const met = await one.evaluate("told.met");
const refused = await one.evaluate("me()");
const reloaded = await one.evaluate("holdfast.resume().then((user) => user.email)");

// Charlie's token is refreshed in one tab, and its answer is late; meanwhile Alice signs in in the other.
const late = hold();
await one.evaluate("void again()");
await late.arrived;
const signing = two.evaluate("signIn('alice@example.com').then(({ user }) => user.email)");
await Promise.race([signing, new Promise((resolve) => setTimeout(resolve, 500))]);
late.release();
held = null;
const newest = await signing;
await Promise.all([one.reload(), two.reload()]);
const cookieOf = await both("holdfast.resume().then((user) => user?.email)");

server.close();
network.close();
network.closeAllConnections();
await finish({
  origin, nobody, resumed, rounds, renewed, expired, afterExpiry, quiet, ended, after, first, charlie, met, refused, reloaded, newest, cookieOf,
});
