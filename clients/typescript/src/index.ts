/**
 * The client of Holdfast: {@link createHoldfast} makes an instance, the functions of the API take its `client`.
 *
 * @module
 */
export { catchUp, followChanges } from "./changes.js";
export type { ChangeBatch, ChangeFeed, Copy, FollowOptions } from "./changes.js";
export { createHoldfast } from "./client.js";
export type { Holdfast, HoldfastOptions } from "./client.js";
export { ifMatch, updateWithRetry } from "./conflicts.js";
export { ApiError, isApiError } from "./errors.js";
export type { ErrorCode, FieldError } from "./errors.js";
export { fileForm } from "./forms.js";
export type { FileSource, NativeFile } from "./forms.js";
export type { Client } from "./generated/client/index.js";
export * from "./generated/index.js";
export { LINK_KINDS, verifyWebLink } from "./links.js";
export type { LinkKind, WebLink } from "./links.js";
export { paginate } from "./paging.js";
export type { ItemOf, Page } from "./paging.js";
export type { TokenTransport } from "./refreshing.js";
export { DEFAULT_POLICY } from "./retry.js";
export type { RetryPolicy } from "./retry.js";
export type { SignedOutReason } from "./session.js";
export { keychainStore, memoryStore, secureStore } from "./stores.js";
export type { KeychainLike, SecureStoreLike, TokenStore } from "./stores.js";
