import type { PreviousUpload, UrlStorage } from "tus-js-client";

/** `AsyncStorage`, `localStorage`, or anything with these three functions. */
export interface KeyValueStorage {
  getItem(key: string): Promise<string | null> | string | null;
  setItem(key: string, value: string): Promise<void> | void;
  removeItem(key: string): Promise<void> | void;
}

/** What tus-js-client remembers of unfinished uploads, the newest of each file, kept in a store of the app's. */
export function rememberUploads(storage: KeyValueStorage): UrlStorage {
  return {
    findAllUploads: async () => [],
    findUploadsByFingerprint: async (fingerprint) => {
      const found = await storage.getItem(fingerprint);
      return found ? [{ ...(JSON.parse(found) as PreviousUpload), urlStorageKey: fingerprint }] : [];
    },
    removeUpload: async (key) => storage.removeItem(key),
    addUpload: async (fingerprint, upload) => {
      await storage.setItem(fingerprint, JSON.stringify(upload));
      return fingerprint;
    },
  };
}
