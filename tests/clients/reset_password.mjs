// Bob forgot his password: he asks for a mail, and the page of its link takes a good password once.
import { facts, finish, open, picture, told, url } from "./browser.mjs";

const mailTo = async (address, kind) => {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { items } = await (await fetch(`${url}/dev/mailbox?to=${address}`, { headers: { Accept: "application/json" } })).json();
    const found = items.find((mail) => mail.link?.includes(kind));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail to ${address}`);
};

const forgot = await open("/.well-known/change-password");
const landed = new URL(forgot.url()).pathname;
await forgot.getByRole("button", { name: "Send me the mail" }).click();
const empty = await forgot.getByRole("alert").innerText();
await forgot.getByLabel("Your e-mail address").fill("bob at example");
await forgot.keyboard.press("Enter");
await forgot.getByRole("alert").filter({ hasText: "e-mail address" }).waitFor();
const invalid = await forgot.getByLabel("Your e-mail address").getAttribute("aria-invalid");
await picture(forgot, "10-forgot-password");
await forgot.getByLabel("Your e-mail address").fill(facts.email);
await forgot.keyboard.press("Enter");
await forgot.locator('[data-state="done"]').waitFor();
const asked = await forgot.locator('[data-state="done"] h1').innerText();

const mail = await mailTo(facts.email, "reset-password");
const page = await open(mail.link.slice(url.length));
await page.getByLabel("New password").fill("short");
await page.getByRole("button", { name: "Show" }).click();
const shown = await page.getByLabel("New password").getAttribute("type");
await page.getByRole("button", { name: "Set my password" }).click();
await page.getByRole("alert").filter({ hasText: "At least" }).or(page.getByRole("alert").filter({ hasText: "at least" })).waitFor();
const fault = await page.getByRole("alert").innerText();
const focused = await page.evaluate(() => document.activeElement.id);
await picture(page, "11-reset-password-refused");
const refusals = told.failed.splice(0).concat(told.console.splice(0));
await page.getByLabel("New password").fill(facts.password);
await page.keyboard.press("Enter");
await page.locator('[data-state="done"]').waitFor();
const done = await page.locator('[data-state="done"] h1').innerText();
const left = await page.evaluate(() => [location.hash, document.querySelector("#password").value]);
await picture(page, "12-reset-password-done");
const cookies = await page.context().cookies();
const troubles = [...told.failed, ...told.console];

const again = await open(mail.link.slice(url.length), { dark: true, width: 390, height: 800 });
await picture(again, "13-reset-password-phone");
const overflow = await again.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
await again.getByLabel("New password").fill(facts.password);
await again.getByRole("button", { name: "Set my password" }).click();
await again.locator('[data-state="dead"]').waitFor();
const dead = await again.locator('[data-state="dead"] h1').innerText();
const resend = await again.getByLabel("Your e-mail address").isVisible();
await picture(again, "14-reset-password-dead");

const cancel = await open("/cancel-email-change#token=hfx1.k1.x.y", { dark: true });
await picture(cancel, "15-cancel-email-change");
const incomplete = await open("/confirm-email-change");
const lost = await incomplete.locator('[data-state="incomplete"] h1').innerText();

await finish({
  landed, empty, invalid, asked, shown, fault, focused, refusals, done, left, cookies, troubles, overflow, dead, resend, lost,
});
