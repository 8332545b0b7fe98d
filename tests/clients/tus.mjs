// tus-js-client uploads a file in chunks. One process gives up half-way, another one goes on from the address that is kept on disk.
import { createReadStream, statSync } from "node:fs";
import { FileUrlStorage, Upload } from "tus-js-client";

const facts = JSON.parse(process.env.FACTS);
const size = statSync(facts.file).size;
const told = { requests: [], resumedAt: null };

const upload = new Upload(createReadStream(facts.file), {
  endpoint: facts.endpoint,
  uploadSize: size,
  chunkSize: facts.chunk,
  headers: { Authorization: `Bearer ${facts.token}` },
  metadata: { filename: "reef.txt", filetype: "text/plain" },
  overridePatchMethod: facts.override ?? false,
  // What a lost connection still brought may be kept after we asked: then the server says so, and the client asks again.
  retryDelays: [100, 500, 2000],
  urlStorage: new FileUrlStorage(facts.kept),
  fingerprint: async () => "the-reef",
  removeFingerprintOnSuccess: true,
  onAfterResponse: (request, response) => {
    told.requests.push([request.getMethod(), response.getStatus()]);
    if (request.getMethod() === "HEAD") told.resumedAt = Number(response.getHeader("Upload-Offset"));
  },
  onProgress: async (sent) => {
    if (!facts.until || sent < facts.until) return;
    await upload.abort();
    end();
  },
  onSuccess: () => end(),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
});

function end() {
  process.stdout.write(JSON.stringify({ ...told, url: upload.url }), () => process.exit(0));
}

const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
