// Erin's browser has a virtual authenticator (DevTools, domain WebAuthn): she adds a passkey on a page of another origin,
// signs in with it, proves herself again, and sees a QR code, which a decoder that is not ours reads off the screen.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import jsQR from "jsqr";
import { devtools, facts, finish, open, picture, url } from "./browser.mjs";

const html = await readFile(new URL("passkeys.html", import.meta.url), "utf8");
const given = `<script>window.facts = ${JSON.stringify({ ...facts, api: `${url}/api/v1` })};</script>`;
const server = createServer((_request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(html.replace("<script type", `${given}<script type`));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://localhost:${server.address().port}`;

const page = await open(origin);
const tools = await devtools(page);
await tools.send("WebAuthn.enable");
const options = {
  protocol: "ctap2",
  ctap2Version: "ctap2_1",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
  defaultBackupEligibility: true,
  defaultBackupState: true,
};
const { authenticatorId } = await tools.send("WebAuthn.addVirtualAuthenticator", { options });

async function press(name) {
  await page.locator(`#${name}`).click();
  await page.locator("#state").filter({ hasText: /^(Done|Refused)/ }).waitFor();
  return page.evaluate((step) => window.outcomes[step], name);
}

const added = await press("add");
await picture(page, "10-passkey-added");
const again = await press("add"); // the authenticator knows from excludeCredentials that it has one
const { credentials } = await tools.send("WebAuthn.getCredentials", { authenticatorId });
await page.reload();
const signedIn = await press("sign-in");
await picture(page, "11-signed-in-with-passkey");
const secondStep = await press("second-step");
const steppedUp = await press("step-up");

const started = await press("totp");
const pixels = await page.evaluate(async () => {
  const image = new Image();
  const text = new XMLSerializer().serializeToString(document.querySelector("#qr svg"));
  image.src = `data:image/svg+xml;base64,${btoa(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 600 });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 600, 600);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 20, 20, 560, 560);
  return Array.from(context.getImageData(0, 0, 600, 600).data);
});
const decoded = jsQR(Uint8ClampedArray.from(pixels), 600, 600)?.data ?? null;
await page.locator("#qr svg").scrollIntoViewIfNeeded();
await picture(page, "12-totp-qr-code");

await tools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
const unverified = await press("sign-in");
await tools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
await tools.send("WebAuthn.clearCredentials", { authenticatorId });
const forgotten = await press("sign-in");

server.close();
await finish({
  origin, added, again, credentials, signedIn, secondStep, steppedUp, started, decoded, unverified, forgotten,
});
