// Two tabs of a web app on another origin, with @holdfast/client and the cookie transport.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { facts, finish, open, url } from "./browser.mjs";

const script = await readFile(facts.bundle);
const app = `<!doctype html><meta charset="utf-8"><title>Tabs</title><script src="/app.js"></script>
<script>
  const told = { ended: [], met: [] };
  const holdfast = Holdfast.createHoldfast({
    baseUrl: "${url}/api/v1", transport: "cookie",
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

server.close();
await finish({ origin, nobody, resumed, rounds, renewed, expired, afterExpiry, quiet, ended, after, first, charlie, met, refused, reloaded });
