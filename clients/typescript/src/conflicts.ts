import { isApiError } from "./errors.js";

/** The header that makes a write fail when the resource has changed since: `headers: ifMatch(project)`. */
export function ifMatch(resource: { version: number }): { "If-Match": string } {
  return { "If-Match": `"${resource.version}"` };
}

/**
 * Edit without overwriting: where somebody else was faster, the edit is made again on what they left.
 *
 * @param known - The resource as the app has it.
 * @param write - Makes the edit of the resource that it gets, with the headers that it gets. Called again after each
 * conflict, so it should change fields rather than put the whole in place. It may throw to give up.
 * @param options - `attempts`: how often to try in all, 3 when left out.
 * @returns What the last `write` answered.
 * @throws ApiError - `version_conflict` when somebody was faster each time; whatever else `write` throws.
 *
 * @example
 * await updateWithRetry(project, (now, headers) =>
 *   updateProject({ client, path: { project_id: now.id }, headers, body: { name: `${now.name} (2026)` } }));
 */
export async function updateWithRetry<Resource extends { version: number }>(
  known: Resource,
  write: (now: Resource, headers: { "If-Match": string }) => Promise<Resource>,
  { attempts = 3 }: { attempts?: number } = {},
): Promise<Resource> {
  let now = known;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(now, ifMatch(now));
    } catch (error) {
      if (attempt >= attempts || !isApiError(error, "version_conflict") || !error.current) throw error;
      now = error.current as Resource;
    }
  }
}
