// Dana opens the link of an invitation: the page shows at once who invites to what, accepts nothing, and keeps its link.
import { facts, finish, open, picture, told } from "./browser.mjs";

const path = facts.link.slice(process.env.URL.length);

const page = await open(path);
await page.locator('[data-state="done"]').waitFor();
const posts = [];
page.on("request", (request) => request.method() === "POST" && posts.push(new URL(request.url()).pathname));
const read = (field) => page.locator(`[data-field="${field}"]`).innerText();
const shown = {
  inviter: await read("invited_by.display_name"),
  project: await read("project_name"),
  role: await read("role"),
  email: await read("email"),
  until: await read("expires_at"),
};
const title = await page.locator('[data-state="done"] h1').innerText();
const markup = await page.locator('[data-field="project_name"] *').count();
await picture(page, "11-invitation");
await page.reload();
await page.locator('[data-state="done"]').waitFor();
await page.waitForLoadState("networkidle");
const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const cookies = await page.context().cookies();
const troubles = [...told.failed, ...told.console];

const spoiled = await open(`${path}x`, { dark: true });
await spoiled.locator('[data-state="dead"]').waitFor();
const dead = await spoiled.locator('[data-state="dead"] h1').innerText();

await finish({ title, shown, markup, posts, overflow, cookies, troubles, dead });
