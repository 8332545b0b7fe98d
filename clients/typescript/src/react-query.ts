/**
 * Options for TanStack Query, one function for each operation: `useQuery(getProjectOptions({ client, path }))`,
 * `useInfiniteQuery({ ...listProjectsInfiniteOptions({ client }), ...cursorPages })`, `useMutation(createProjectMutation({ client }))`.
 *
 * @module
 */
export * from "./generated/@tanstack/react-query.gen.js";

/** What every infinite list adds to its options: where to begin, and how to go on. */
export const cursorPages = {
  initialPageParam: {},
  getNextPageParam: (last: { next_cursor: string | null; has_more: boolean }): string | undefined =>
    last.has_more && last.next_cursor ? last.next_cursor : undefined,
} as const;

/** For `new QueryClient({ defaultOptions })`: the client has repeated what may be repeated, so the query does not. */
export const defaultOptions = {
  queries: { retry: false },
  mutations: { retry: false },
} as const;
