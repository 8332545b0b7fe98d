// A process that uploads a file, says when half of it has gone, and waits to be killed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What a phone's AsyncStorage is: it outlives the process. */
export function onDisk(path) {
  const all = () => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {});
  return {
    getItem: async (key) => all()[key] ?? null,
    setItem: async (key, value) => writeFileSync(path, JSON.stringify({ ...all(), [key]: value })),
    removeItem: async (key) => {
      const { [key]: _gone, ...rest } = all();
      writeFileSync(path, JSON.stringify(rest));
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { phone } = await import("./service.mjs");
  const { upload } = await import("@holdfast/client/uploads");
  const { folder, projectId, token, storage } = JSON.parse(process.env.FACTS);
  const place = join(folder, "token");
  writeFileSync(place, token);
  const tokenStore = {
    get: async (name) => (name.endsWith("refresh_token") ? readFileSync(place, "utf8") : null),
    set: async (name, value) => name.endsWith("refresh_token") && writeFileSync(place, value),
    remove: async () => {},
  };
  const holdfast = phone({ tokenStore });
  await holdfast.resume();
  const file = new File([readFileSync(join(folder, "reef.txt"))], "reef.txt", { type: "text/plain", lastModified: 0 });
  let told = false;
  const onProgress = (sent, total) => {
    if (sent < total / 2 || told) return;
    told = true;
    console.log("half");
  };
  await upload(holdfast, file, { projectId, storage: onDisk(storage), chunkSize: 2 ** 20, onProgress });
}
