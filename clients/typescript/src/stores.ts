import { ApiError } from "./errors.js";
import { within } from "./retry.js";

/**
 * Where an instance keeps what must outlive the app: the refresh token (with the transport `body`) and the device token.
 * Several instances may share one store.
 */
export interface TokenStore {
  /** What is kept under a name, or null. */
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The names that are kept; `expo-secure-store` allows letters, digits, dots, dashes and underscores. */
export const REFRESH_TOKEN = "holdfast.refresh_token";
export const DEVICE_TOKEN = "holdfast.device_token";

/** Keeps tokens until the page is left or the process ends: for tests, scripts, and the web, where a cookie keeps the rest. */
export function memoryStore(): TokenStore {
  const kept = new Map<string, string>();
  return {
    get: async (name) => kept.get(name) ?? null,
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  };
}

/** What is used of `expo-secure-store`. */
export interface SecureStoreLike {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

/**
 * Keeps tokens in the Keychain or Keystore by way of Expo.
 *
 * @param secureStore - `import * as SecureStore from "expo-secure-store"`, or anything with the same three functions.
 */
export function secureStore(secureStore: SecureStoreLike): TokenStore {
  return onceFor(secureStore, {
    get: (name) => secureStore.getItemAsync(name),
    set: (name, value) => secureStore.setItemAsync(name, value),
    remove: (name) => secureStore.deleteItemAsync(name),
  });
}

/** What is used of `react-native-keychain`. */
export interface KeychainLike {
  getGenericPassword(options: { service: string }): Promise<false | { password: string }>;
  setGenericPassword(username: string, password: string, options: { service: string }): Promise<unknown>;
  resetGenericPassword(options: { service: string }): Promise<unknown>;
}

/**
 * Keeps tokens in the Keychain or Keystore by way of `react-native-keychain`, each as a service of its own.
 *
 * @param keychain - `import * as Keychain from "react-native-keychain"`.
 */
export function keychainStore(keychain: KeychainLike): TokenStore {
  return onceFor(keychain, {
    get: async (service) => {
      const found = await keychain.getGenericPassword({ service });
      return found ? found.password : null;
    },
    set: async (service, value) => void (await keychain.setGenericPassword("holdfast", value, { service })),
    remove: async (service) => void (await keychain.resetGenericPassword({ service })),
  });
}

/** A Keychain that asks a person for their finger, and gets none, may never answer; all who use the store wait meanwhile. */
const PATIENCE = 10_000;

/** A store as instances use it: where it fails, or does not answer within ten seconds, an `ApiError` is thrown. */
export function watched(store: TokenStore): TokenStore {
  return onceFor(store, {
    get: (name) => answered(() => store.get(name)),
    set: (name, value) => answered(() => store.set(name, value)),
    remove: (name) => answered(() => store.remove(name)),
  });
}

async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await within(work(), { until: Date.now() + PATIENCE });
  } catch (cause) {
    throw new ApiError({ code: "store_failed", detail: "Token store failed." }, { cause });
  }
}

const made = new WeakMap<object, TokenStore>();

/** One store for one Keychain, and one watched for one store, however often it is asked for: those who share it have to know of each other. */
function onceFor(place: object, fresh: TokenStore): TokenStore {
  const store = made.get(place) ?? fresh;
  made.set(place, store);
  return store;
}
