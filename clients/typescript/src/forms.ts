/** A file as React Native's pickers and cameras hand it out. */
export interface NativeFile {
  /** `file://...`, `content://...` or `ph://...`. */
  uri: string;
  name?: string | null | undefined;
  /** The content type, such as `image/jpeg`. */
  type?: string | null | undefined;
}

/** What can be uploaded: a browser's `File` or `Blob`, the `File` of expo-file-system, or React Native's `{ uri, name, type }`. */
export type FileSource = Blob | NativeFile;

/** How long one form may take: each try must let a whole file through, and there is time for two. */
const FORM_TIMES = { timeout: 300_000, deadline: 600_000 };

/** What a file is called, where neither it nor its address says so. */
const NAMELESS = "file";

/** Whether a file is known by its address alone, and read by the platform when it is sent. */
export function isNative(source: FileSource): source is NativeFile {
  return "uri" in source && typeof source.uri === "string";
}

/** Name and content type of a file; the name is the end of its address where nothing else says it. */
export function describe(source: FileSource): { name: string; type: string } {
  const { name, type } = source as { name?: string | null; type?: string | null };
  const path = isNative(source) ? (source.uri.split(/[?#]/, 1)[0] ?? "") : "";
  const last = path.slice(path.lastIndexOf("/") + 1);
  return { name: name || decoded(last) || NAMELESS, type: type || "application/octet-stream" };
}

/**
 * What `uploadFile` needs to send a file of any platform in one request:
 * `uploadFile({ client, path: { project_id }, ...fileForm(picked) })`. For large files, and on networks that break off, use
 * `upload` of `@holdfast/client/uploads`.
 *
 * @param name - In the place of the file's own.
 */
export function fileForm(source: FileSource, name?: string) {
  const known = describe(source);
  const part = isNative(source) ? { ...known, uri: source.uri } : source;
  return {
    // React Native's FormData takes the plain object as a part; the browser's takes blobs alone.
    body: { file: part as Blob },
    bodySerializer: () => {
      const form = new FormData();
      if (isNative(source)) form.append("file", { ...part, name: name ?? known.name } as unknown as Blob);
      else form.append("file", source, name ?? known.name);
      return form;
    },
    meta: FORM_TIMES,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
