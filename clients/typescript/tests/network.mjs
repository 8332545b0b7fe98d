// A network between app and service whose answers can be held back, or put in the place of the service's.

/** `fetch` hands on; `hold(path)` keeps the next answer of a path on its way; `put(path, answer)` gives another in its place. */
export function network() {
  const meddling = [];
  const sent = [];
  const take = (path) => {
    const found = meddling.findIndex((each) => path.endsWith(each.path));
    return found < 0 ? undefined : meddling.splice(found, 1)[0];
  };
  return {
    sent,
    fetch: async (input, init) => {
      const path = new URL(input.url).pathname.replace("/api/v1", "");
      sent.push(`${input.method} ${path}`);
      const meddle = take(path);
      if (meddle?.answer) return meddle.answer();
      const answer = await fetch(input, init);
      if (meddle) {
        meddle.arrive(answer.status);
        await meddle.released;
      }
      return answer;
    },
    hold(path) {
      const held = { path };
      held.arrived = new Promise((resolve) => { held.arrive = resolve; });
      held.released = new Promise((resolve) => { held.release = resolve; });
      meddling.push(held);
      return held;
    },
    put(path, answer, times = 1) {
      for (let time = 0; time < times; time += 1) meddling.push({ path, answer });
    },
  };
}

/** Give something that ought to wait every chance not to. */
export const unless = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, 400))]);

export const problem = (status, code, headers = {}) =>
  Response.json({ status, code, detail: code }, { status, headers: { "Content-Type": "application/problem+json", ...headers } });

export const page = () => new Response("<h1>Pay for the network</h1>", { headers: { "Content-Type": "text/html" } });

/** While something is done, a wait of so many milliseconds, or somewhat less, is over at once. */
export async function hurry(milliseconds, work) {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (end, after, ...rest) => setTimeout(end, after > milliseconds - 900 && after <= milliseconds ? 1 : after, ...rest);
  try {
    return await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}
