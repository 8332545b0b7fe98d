// A developer's first minute: read the page, sign in by "Try it out", authorise, create a project, upload a picture and see it.
import { facts, finish, open, picture } from "./browser.mjs";

async function tryOut(page, id) {
  const block = page.locator(`#operations-${id}`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  return block;
}

async function execute(block) {
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table .response");
  await answer.waitFor();
  const body = await answer.locator(".highlight-code code, pre.microlight").first().innerText();
  return { status: Number(await answer.locator(".response-col_status").innerText()), body: JSON.parse(body) };
}

const page = await open("/docs");
await page.locator("#operations-projects-createProject").waitFor();
const operations = await page.locator(".opblock").count();
await picture(page, "1-docs");

const signIn = await tryOut(page, "auth-signIn");
const offered = JSON.parse(await signIn.locator("textarea.body-param__text").inputValue());
await signIn.locator("textarea.body-param__text").fill(JSON.stringify({ ...offered, password: facts.password }));
const signedIn = await execute(signIn);
await signIn.scrollIntoViewIfNeeded();
await picture(page, "2-signed-in");

await page.locator(".auth-wrapper .btn.authorize").first().click();
const dialog = page.locator(".modal-ux");
await dialog.locator("input[type=text], input[type=password]").first().fill(signedIn.body.access_token);
await picture(page, "3-authorize");
await dialog.locator(".auth-btn-wrapper .authorize").first().click();
await dialog.locator(".auth-btn-wrapper .btn-done, .close-modal").first().click();

const create = await tryOut(page, "projects-createProject");
await create.locator("textarea.body-param__text").fill(JSON.stringify({ name: "From Swagger UI" }));
const created = await execute(create);
await create.locator(".live-responses-table").scrollIntoViewIfNeeded();
await picture(page, "4-created");

const upload = await tryOut(page, "uploads-uploadFile");
await upload.locator("tr[data-param-name=project_id] input").fill(created.body.id);
const content = Buffer.from(facts.picture, "base64");
await upload.locator("input[type=file]").setInputFiles({ name: "kelp.png", mimeType: "image/png", buffer: content });
const uploaded = await execute(upload);
await upload.scrollIntoViewIfNeeded();
await picture(page, "7-uploaded");

const download = await tryOut(page, "files-downloadFile");
await download.locator("tr[data-param-name=project_id] input").fill(created.body.id);
await download.locator("tr[data-param-name=file_id] input").fill(uploaded.body.id);
await download.locator("button.execute").click();
const drawn = download.locator(".live-responses-table img");
await drawn.waitFor();
const shown = await drawn.evaluate(async (image) => (await image.decode(), [image.naturalWidth, image.naturalHeight]));
await picture(page, "8-downloaded");
const wrapped = await page.locator(".opblock-summary-operation-id").evaluateAll((names) =>
  names.filter((name) => name.getClientRects()[0].height > 30).map((name) => name.textContent),
);

const dark = await open("/docs", { dark: true });
await dark.locator("#operations-projects-createProject").waitFor();
const background = await dark.evaluate(() => getComputedStyle(document.querySelector("#swagger-ui")).backgroundColor);
await dark.locator("section.models .models-control").click();
await dark.locator("section.models .json-schema-2020-12-accordion").first().click();
await picture(dark, "5-dark", { fullPage: true });
const phone = await open("/docs", { width: 390, height: 844 });
await phone.locator("#operations-projects-createProject").waitFor();
const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
await picture(phone, "6-phone");
const errors = await open("/docs/errors", { width: 390, height: 844 });
const errorsOverflow = await errors.evaluate(() => document.documentElement.scrollWidth - innerWidth);
await picture(errors, "6-phone-errors");

await finish({ operations, offered, signedIn, created, uploaded, shown, wrapped, background, overflow, errorsOverflow });
