import { defaultOptions, type HttpRequest, type HttpResponse, type HttpStack } from "tus-js-client";
import { tooLate } from "./retry.js";

/**
 * Requests for tus-js-client that fail, and so are made again, where no byte of them has moved for some time. Its own wait for
 * ever, as on a phone that has left the Wi-Fi.
 */
export function impatient(milliseconds: number): HttpStack {
  const { httpStack } = defaultOptions;
  return {
    createRequest: (method, url) => watched(httpStack.createRequest(method, url), milliseconds),
    getName: () => httpStack.getName(),
  };
}

function watched(request: HttpRequest, milliseconds: number): HttpRequest {
  const send = request.send.bind(request);
  const abort = request.abort.bind(request);
  const report = request.setProgressHandler.bind(request);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let giveUp: (() => void) | undefined;
  const end = () => {
    clearTimeout(timer);
    giveUp = undefined;
  };
  const goOn = () => {
    clearTimeout(timer);
    if (giveUp) timer = setTimeout(giveUp, milliseconds);
  };
  return Object.assign(request, {
    setProgressHandler: (tell: (sent: number) => void) =>
      report((sent) => {
        goOn();
        tell(sent);
      }),
    send: async (body: unknown): Promise<HttpResponse> => {
      const stalled = new Promise<never>((_resolve, reject) => {
        giveUp = () => {
          reject(tooLate());
          void abort();
        };
      });
      goOn();
      return Promise.race([send(body), stalled]).finally(end);
    },
    abort: () => {
      end();
      return abort();
    },
  });
}
