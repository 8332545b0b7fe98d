// A headless Chromium that keeps to one host and notes what goes wrong, for the scripts beside this file.
import { chromium } from "playwright-core";

export const url = process.env.URL;
export const facts = JSON.parse(process.env.FACTS);
export const devtools = (page) => page.context().newCDPSession(page);
export const told = { console: [], failed: [], elsewhere: [], policy: null };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
});

/** A page, as a person would open one. */
export async function open(path, { dark = false, width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) told.console.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => told.console.push(`uncaught: ${error}`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (!["data:", "blob:"].includes(asked.protocol) && asked.origin !== url) told.elsewhere.push(request.url());
  });
  page.on("requestfailed", (request) => told.failed.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (answer) => {
    if (answer.status() >= 400) told.failed.push(`${answer.status()} ${answer.url()}`);
  });
  const answer = await page.goto(new URL(path, url).href);
  told.policy ??= answer.headers()["content-security-policy"];
  return page;
}

export async function picture(page, name, options = {}) {
  await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, ...options });
}

/** Say what was found, and end. */
export async function finish(found) {
  await browser.close();
  console.log(JSON.stringify({ ...found, ...told }));
}
