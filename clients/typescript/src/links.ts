/** What the links in mails are for: the words after the address of the app. */
export const LINK_KINDS = [
  "verify-email",
  "reset-password",
  "confirm-email-change",
  "cancel-email-change",
  "restore-account",
  "accept-invitation",
] as const;

export type LinkKind = (typeof LINK_KINDS)[number];

/** A link of ours. Ask the person before sending the token on: opening a link proves nothing. */
export interface WebLink {
  kind: LinkKind;
  /** For `verifyEmail`, `resetPassword`, `confirmEmailChange`, `cancelEmailChange`, `restoreAccount`, `previewInvitation`. */
  token: string;
}

/**
 * Look whether a link that opened the app is one of our mails', and take it apart. Any app and page can open links, so
 * what comes from elsewhere is none.
 *
 * @param url - What `Linking` or `location.href` says.
 * @param from - `origins`: where `LINK_BASE_URL` points, such as `https://app.example.com`; `scheme`: what `APP_SCHEME`
 * says, such as `reefapp`.
 * @returns null for everything else.
 */
export function verifyWebLink(
  url: string,
  from: { origins?: readonly string[]; scheme?: string },
): WebLink | null {
  // By hand: React Native's URL knows neither fragments nor schemes of an app's own.
  const [address = "", fragment = ""] = url.split("#", 2);
  const path = address.split("?", 1)[0] ?? "";
  const bases = [...(from.origins ?? []).map((origin) => `${origin.replace(/\/+$/, "")}/`)];
  const schemes = from.scheme ? [`${from.scheme}://`, `${from.scheme}:///`] : [];
  const kind = LINK_KINDS.find((word) => [...bases, ...schemes].some((base) => path.replace(/\/$/, "") === base + word));
  const token = /(?:^|&)token=([A-Za-z0-9._~-]+)(?:&|$)/.exec(fragment)?.[1];
  return kind && token ? { kind, token } : null;
}
