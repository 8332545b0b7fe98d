// Dana opens the link of her mail: nothing happens before she presses the button; the link works once.
import { facts, finish, open, picture, told } from "./browser.mjs";

const path = facts.link.slice(process.env.URL.length);

const page = await open(path);
const title = await page.locator('[data-state="ready"] h1').innerText();
const posts = [];
page.on("request", (request) => request.method() === "POST" && posts.push(new URL(request.url()).pathname));
await page.waitForLoadState("networkidle");
const beforePress = [...posts];
await picture(page, "7-verify-email");
await page.getByRole("button", { name: "Confirm my address" }).click();
await page.locator('[data-state="done"]').waitFor();
const done = await page.locator('[data-state="done"] h1').innerText();
await page.waitForLoadState("networkidle");
await picture(page, "8-verified");
const cookies = await page.context().cookies();
const troubles = [...told.failed, ...told.console];

const again = await open(path, { dark: true });
await again.getByRole("button", { name: "Confirm my address" }).click();
await again.locator('[data-state="dead"]').waitFor();
const dead = await again.locator('[data-state="dead"] h1').innerText();
await picture(again, "9-link-used");

await finish({ title, beforePress, posts, done, cookies, troubles, dead });
