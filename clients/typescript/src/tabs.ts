/** What tabs of one web app tell each other. */
export type TabMessage = { kind: "signed_out" } | { kind: "signed_in"; userId: string };

/** The other tabs. Outside browsers there are none: a server's instances belong to different people. */
export interface Tabs {
  /** Run something while no other tab does. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  tell(message: TabMessage): void;
  close(): void;
}

/**
 * Reach the tabs that use the same service.
 *
 * @param name - Of the lock and the channel.
 * @param onMessage - Called with what another tab says.
 */
export function openTabs(name: string, onMessage: (message: TabMessage) => void): Tabs {
  const inBrowser = typeof document !== "undefined" || "WorkerGlobalScope" in globalThis;
  const locks = inBrowser ? globalThis.navigator?.locks : undefined;
  const channel = inBrowser && "BroadcastChannel" in globalThis ? new BroadcastChannel(name) : null;
  channel?.addEventListener("message", ({ data }) => onMessage(data as TabMessage));
  return {
    exclusively: (work) => (locks ? (locks.request(name, work) as ReturnType<typeof work>) : work()),
    tell: (message) => channel?.postMessage(message),
    close: () => channel?.close(),
  };
}
