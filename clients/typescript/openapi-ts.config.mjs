// `make client` runs this: src/generated is made of the service's own document. CI makes it again and compares.
const ELSEWHERE = [
  // The session does these: they need the tokens that are kept.
  "POST /auth/refresh",
  "POST /auth/logout",
  // tus-js-client does these.
  "POST /projects/{project_id}/tus",
  "PATCH /projects/{project_id}/tus/{upload_id}",
  "DELETE /projects/{project_id}/tus/{upload_id}",
];

export default {
  input: process.env.OPENAPI_DOCUMENT,
  output: { path: process.env.GENERATED ?? "src/generated", module: { extension: ".js" } },
  logs: { file: false },
  parser: {
    filters: { operations: { exclude: ELSEWHERE }, orphans: false },
    pagination: { keywords: ["cursor"] },
  },
  plugins: [
    // Which service is asked, and what is thrown, is decided by createHoldfast.
    { name: "@hey-api/client-fetch", baseUrl: false, throwOnError: true },
    { name: "@hey-api/typescript" },
    // Without a client of its own: a server renders for many people at once.
    { name: "@hey-api/sdk", client: false, responseStyle: "data" },
    { name: "@tanstack/react-query" },
  ],
};
