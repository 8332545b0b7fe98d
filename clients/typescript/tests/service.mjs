// What the tests need of the running service besides its API: mails, the clock, people.
import { createHmac, randomBytes } from "node:crypto";
import { createHoldfast, register, signIn, verifyEmail } from "@holdfast/client";

export const url = process.env.URL ?? "http://127.0.0.1:8000";
export const baseUrl = `${url}/api/v1`;
export const PASSWORD = "a sentence only divers know";

/** An instance that keeps its tokens as a phone does. */
export function phone(options = {}) {
  return createHoldfast({ baseUrl, transport: "body", clientInfo: { platform: "ios", version: "1.4.0", deviceName: "A phone" }, ...options });
}

/** The newest mail to an address; the worker sends it a moment after it is asked for. */
export async function mailTo(address) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { items } = await (await fetch(`${url}/dev/mailbox?to=${address}`, { headers: { Accept: "application/json" } })).json();
    if (items.length) return items[0];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail to ${address}`);
}

/** Somebody new, signed in on a phone of theirs. */
export async function somebody(name, options) {
  const holdfast = phone(options);
  const { client } = holdfast;
  const email = `${name.toLowerCase()}-${randomBytes(4).toString("hex")}@example.com`;
  await register({ client, body: { email, password: PASSWORD, display_name: name } });
  const { code } = await mailTo(email);
  await verifyEmail({ client, body: { email, code } });
  return { holdfast, client, email };
}

/** Alice of the demo, on a phone of her own. */
export async function alice(options) {
  const holdfast = phone(options);
  await signIn({ client: holdfast.client, body: { email: "alice@example.com", password: "kelp-grips-the-rock" } });
  return holdfast;
}

/** Let the time of the service go on; its time then, in seconds. Each of its processes looks at the clock once a second. */
export async function advance(seconds) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${url}/dev/clock`, { method: "POST", headers, body: JSON.stringify({ advance_seconds: seconds }) });
  const { now } = await answer.json();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  return Date.parse(now) / 1000;
}

/** What an authenticator app shows (RFC 6238). */
export function totp(secret, seconds) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** A `fetch` that notes what was sent. */
export function noting(noted) {
  return async (input, init) => {
    const answer = await fetch(input, init);
    noted.push({
      call: `${input.method} ${new URL(input.url).pathname.replace("/api/v1", "")}`,
      status: answer.status,
      key: input.headers.get("Idempotency-Key"),
      replayed: answer.headers.get("Idempotency-Replayed"),
    });
    return answer;
  };
}
