// A web app on another origin lists the files of a project and shows their previews. It is cross-origin isolated, so the
// browser shows a picture of elsewhere only when that says that it may be shown (Cross-Origin-Resource-Policy).
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { facts, finish, open, picture } from "./browser.mjs";

const html = await readFile(new URL("thumbnails.html", import.meta.url), "utf8");
const given = `<script>window.facts = ${JSON.stringify(facts)};</script>`;
const server = createServer((_request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.end(html.replace("<script type", `${given}<script type`));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://localhost:${server.address().port}`;

const page = await open(origin, { width: 1240, height: 1000 });
await page.waitForFunction(
  (count) => {
    const images = [...document.images];
    return images.length === count && images.every((image) => image.complete);
  },
  facts.count,
);
const shown = await page.evaluate(() =>
  [...document.images].map((image) => {
    const { x, y } = image.getBoundingClientRect();
    return { name: image.parentElement.innerText.trim(), x, y, width: image.naturalWidth, height: image.naturalHeight };
  }),
);
const isolated = await page.evaluate(() => crossOriginIsolated);
await picture(page, "13-thumbnails");

server.close();
await finish({ origin, isolated, shown, screenshot: `${process.env.PICTURES}/13-thumbnails.png` });
