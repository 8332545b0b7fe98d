/**
 * Uploads that survive lost connections and restarts of the app, by tus (https://tus.io).
 *
 * @module
 */
import { type DetailedError, type HttpRequest, type HttpResponse, Upload, type UploadOptions } from "tus-js-client";
import type { Holdfast } from "./client.js";
import { ApiError, errorOf, isApiError, networkError, userChanged } from "./errors.js";
import { describe, type FileSource, isNative } from "./forms.js";
import { getFile, getTusUpload } from "./generated/sdk.gen.js";
import type { File as StoredFile } from "./generated/types.gen.js";
import { isStale, nobody } from "./refreshing.js";
import { reasonOf } from "./retry.js";
import { type KeyValueStorage, rememberUploads } from "./resuming.js";
import { impatient } from "./stalling.js";

export type { KeyValueStorage } from "./resuming.js";

/** How a file is sent. */
export interface UploadFileOptions {
  projectId: string;
  /** In the place of the file's own. */
  name?: string;
  /** Called as bytes are sent; `total` is their number in all. */
  onProgress?: (sent: number, total: number) => void;
  /** Stops the upload. What has arrived stays, and the next `upload` of the same file goes on from there. */
  signal?: AbortSignal;
  /**
   * Where unfinished uploads are remembered over restarts: `AsyncStorage` on a phone, anything with `getItem`, `setItem`
   * and `removeItem`. In browsers `localStorage` when left out, elsewhere nowhere.
   */
  storage?: KeyValueStorage;
  /** Bytes a request; 5 MiB when left out. */
  chunkSize?: number;
  /** Milliseconds after which a request is made anew when no byte of it has moved; a minute when left out. */
  timeout?: number;
}

const CHUNK = 5 * 1024 * 1024;
const TIMEOUT = 60_000;
const WAITS = [0, 500, 1000, 3000, 5000, 10_000, 20_000];

/**
 * Upload a file in chunks, on from where an earlier try of the same file ended.
 *
 * @param holdfast - Whose account uploads; access tokens that expire meanwhile are replaced.
 * @returns The file as the service has it. Its `state` is `processing` while it is looked into.
 * @throws ApiError - What the service refused (`file_type_not_allowed`, `quota_exceeded` ...), or `network_error` when the
 * network stayed away: call again later.
 * @throws The signal's reason, when it stopped the upload.
 */
export async function upload(
  holdfast: Holdfast,
  source: FileSource,
  options: UploadFileOptions,
): Promise<StoredFile> {
  const { client } = holdfast;
  const url = await sent(holdfast, source, options);
  const path = { project_id: options.projectId, upload_id: idIn(url) };
  const { file_id } = await getTusUpload({ client, path });
  if (!file_id) throw new ApiError({ code: "upload_incomplete", detail: "Not all of the file has arrived." });
  return getFile({ client, path: { project_id: options.projectId, file_id } });
}

/** Send all of it; the address of the upload. */
function sent(holdfast: Holdfast, source: FileSource, options: UploadFileOptions): Promise<string> {
  const { projectId, signal, storage } = options;
  const { name, type } = describe(source);
  const filename = options.name ?? name;
  const authorise = authorising(holdfast, projectId);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const settings: UploadOptions = {
      endpoint: `${holdfast.client.getConfig().baseUrl}/projects/${projectId}/tus`,
      metadata: { filename, filetype: type },
      chunkSize: options.chunkSize ?? CHUNK,
      retryDelays: WAITS,
      httpStack: impatient(options.timeout ?? TIMEOUT),
      removeFingerprintOnSuccess: true,
      fingerprint: async () => fingerprint(holdfast, projectId, filename, source),
      onBeforeRequest: authorise,
      onAfterResponse: (request, response) => renewed(holdfast, request, response),
      onShouldRetry: (error) => mayRetry(error as DetailedError),
      onProgress: (bytes, total) => options.onProgress?.(bytes, total),
      onSuccess: () => end(() => resolve(upload.url ?? "")),
      onError: (error) => end(() => reject(refusal(error))),
      ...(storage ? { urlStorage: rememberUploads(storage) } : {}),
      ...(typeof XMLHttpRequest === "undefined" ? { fileReader: { openFile: openBlob } } : {}),
    };
    const upload = new Upload(source as Blob, settings);
    const stop = () => void upload.abort().finally(() => reject(reasonOf(signal)));
    const end = (settle: () => void) => {
      signal?.removeEventListener("abort", stop);
      settle();
    };
    signal?.addEventListener("abort", stop, { once: true });
    const begin = async () => {
      const [earlier] = await upload.findPreviousUploads();
      if (signal?.aborted) return;
      if (earlier) upload.resumeFromPreviousUpload(earlier);
      upload.start();
    };
    begin().catch((error: unknown) => end(() => reject(error)));
  });
}

/** The id at the end of an upload's address. */
function idIn(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

/** The same file, of the same person, for the same project: what an earlier try was about. */
function fingerprint(holdfast: Holdfast, projectId: string, name: string, source: FileSource): string {
  const { size, lastModified, uri } = source as { size?: number; lastModified?: number; uri?: string };
  const whose = holdfast.user?.id ?? "";
  return ["holdfast.upload", whose, projectId, name, size ?? "", lastModified ?? "", uri ?? ""].join("|");
}

/**
 * Give each request its token.
 *
 * @throws ApiError - 401 or `user_changed`, when who began the upload is not signed in any more; that the file is empty.
 */
function authorising(holdfast: Holdfast, projectId: string): (request: HttpRequest) => Promise<void> {
  let owner = holdfast.user?.id;
  return async (request) => {
    // tus-js-client begins anew when HEAD is refused, so a token that has expired is replaced before.
    if (request.getMethod() === "HEAD") {
      const path = { project_id: projectId, upload_id: idIn(request.getURL()) };
      await getTusUpload({ client: holdfast.client, path }).catch(() => {});
    }
    if (request.getHeader("Upload-Length") === "0") throw new ApiError({ code: "file_type_not_allowed", detail: "The file is empty." });
    const token = await holdfast.accessToken();
    if (owner && !token) throw nobody();
    owner ??= holdfast.user?.id;
    if (holdfast.user?.id !== owner) throw userChanged();
    if (token) request.setHeader("Authorization", `Bearer ${token}`);
  };
}

async function renewed(holdfast: Holdfast, request: HttpRequest, response: HttpResponse): Promise<void> {
  if (response.getStatus() !== 401) return;
  const used = request.getHeader("Authorization")?.replace(/^Bearer /, "");
  if (used && isStale(problemIn(response)?.code)) await holdfast.renew(used);
}

/** 401: a new token may be there by now. 409 and 423: our earlier request still holds the upload. */
function mayRetry({ originalResponse, causingError }: DetailedError): boolean {
  if (isApiError(causingError) && !causingError.isNetworkError) return false;
  const status = originalResponse?.getStatus() ?? 0;
  return status === 0 || status >= 500 || [401, 409, 423, 429].includes(status);
}

/** What made tus-js-client give up, in our words. */
function refusal(error: Error & Partial<DetailedError>): unknown {
  const cause: unknown = error.causingError;
  if (!error.originalResponse) return cause instanceof ApiError ? cause : networkError(error);
  const status = error.originalResponse.getStatus();
  return errorOf(new Response(null, { status: status < 200 ? 500 : status }), problemIn(error.originalResponse));
}

function problemIn(response: HttpResponse): { code?: string } | null {
  try {
    return JSON.parse(response.getBody()) as { code?: string };
  } catch {
    return null;
  }
}

/** Node's part of tus-js-client reads buffers; this reads blobs, a chunk at a time. */
async function openBlob(blob: Blob) {
  return {
    size: blob.size,
    slice: async (start: number, end: number) => {
      const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      return { value: Object.assign(bytes, { size: bytes.length }), done: end >= blob.size };
    },
    close: () => {},
  };
}
