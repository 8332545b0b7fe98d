/** A page of a list, as every list of the service answers. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
  has_more: boolean;
}

// The generated functions are generic in ways that only `any` can stand for here.
type ListFunction = (options: any) => Promise<Page<any> | undefined>;

/** What a list's items are. */
export type ItemOf<List extends ListFunction> = NonNullable<Awaited<ReturnType<List>>>["items"][number];

/**
 * Everything in a list, page by page as the loop asks for it. An item that moves while it is read comes once.
 *
 * @param list - A function of the API, such as `listProjects`.
 * @param options - What it takes; `query.limit` sets the size of a page, 100 when left out.
 * @throws ApiError - as the function does.
 *
 * @example
 * for await (const project of paginate(listProjects, { client, query: { sort: "name" } })) show(project);
 */
export async function* paginate<List extends ListFunction>(
  list: List,
  options: Parameters<List>[0],
): AsyncGenerator<ItemOf<List>, void, void> {
  const seen = new Set<string>();
  let cursor: string | null = options.query?.cursor ?? null;
  for (;;) {
    const query = { limit: 100, ...options.query, ...(cursor ? { cursor } : {}) };
    const page = await list({ ...options, query, throwOnError: true });
    if (!page) return;
    for (const item of page.items) {
      const id: unknown = item.id ?? item.user?.id;
      if (typeof id === "string" && seen.has(id)) continue;
      if (typeof id === "string") seen.add(id);
      yield item;
    }
    cursor = page.next_cursor;
    if (!page.has_more || !cursor) return;
  }
}
