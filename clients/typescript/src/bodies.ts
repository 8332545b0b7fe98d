/**
 * A file to its end, however long that takes, as long as it comes.
 *
 * @param onBytes - Called when some have arrived; not under React Native, which hands out whole files alone.
 */
export async function blobOf(response: Response, onBytes: () => void): Promise<Blob> {
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null | undefined)?.getReader();
  if (!reader) return response.blob();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: response.headers.get("Content-Type") ?? "" });
    parts.push(value);
    onBytes();
  }
}
