// The page behind a link in a mail. Nothing happens before the button is pressed: mail scanners open links too.
"use strict";

(() => {
  const page = document.getElementById("link-page");
  const { path, action, working, appScheme } = page.dataset;
  const message = page.querySelector("[data-message]");
  const press = page.querySelector("[data-press]");
  const form = page.querySelector("form[data-form]");
  const typed = form.querySelector("input");
  const reveal = form.querySelector("[data-reveal]");
  const resend = page.querySelector("form[data-resend]");

  const readToken = () => new URLSearchParams(location.hash.slice(1)).get("token");

  // No cookie goes along and none is taken: this page never signs the browser in.
  const post = (url, body, options = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      ...options,
    });

  const say = (where, text, bad = false) => {
    where.textContent = text;
    where.classList.toggle("bad", bad);
  };

  const show = (state, moveFocus = true) => {
    for (const section of page.querySelectorAll("[data-state]")) {
      section.hidden = section.dataset.state !== state;
    }
    if (resend) {
      resend.hidden = state !== "dead" && state !== "incomplete";
    }
    say(message, "");
    if (moveFocus) {
      page.querySelector(`[data-state="${state}"] h1`).focus();
    }
  };

  const OFFLINE = "The service could not be reached. Check your connection and try again.";

  // One sentence a person can act on, from a problem document (RFC 9457) or from whatever came instead of one.
  const explain = async (response) => {
    const problem = await response.json().catch(() => ({}));
    const field = Array.isArray(problem.errors) && problem.errors[0] ? problem.errors[0].detail : "";
    let text = field || problem.detail || problem.title || `The service answered ${response.status}.`;
    const wait = Number(problem.retry_after || response.headers.get("Retry-After"));
    if (response.status === 429 && wait > 0) {
      text += wait < 90 ? ` Try again in ${wait} seconds.` : ` Try again in ${Math.ceil(wait / 60)} minutes.`;
    }
    if (response.status >= 500 && problem.request_id) {
      text += ` If it stays so, tell the operator this number: ${problem.request_id}`;
    }
    return text;
  };

  // The session that confirming made is not wanted here. Leaving the page does not stop the request.
  const endSession = async (refreshToken) => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        const answer = await post("/api/v1/auth/logout", { refresh_token: refreshToken }, { keepalive: true });
        if (answer.status < 500) {
          return;
        }
      } catch {
        // Offline for a moment: once more. Whatever happens, the token is forgotten here.
      }
      await new Promise((resolve) => setTimeout(resolve, 500 * (attempt + 1)));
    }
  };

  const fault = (text) => {
    const where = typed && form.querySelector(`[data-fault="${typed.name}"]`);
    if (where) {
      where.textContent = text;
      typed.setAttribute("aria-invalid", String(text !== ""));
      if (text) {
        typed.focus();
      }
    }
  };

  // What is wrong with the field that stands on this page, if that is what was refused.
  const faultsOf = async (response) => {
    const problem = await response.clone().json().catch(() => ({}));
    const own = (Array.isArray(problem.errors) ? problem.errors : []).filter((each) => typed && each.field === typed.name);
    return own.map((each) => each.detail).join(" ");
  };

  const CLOCK = { dateStyle: "long", timeStyle: "short" }; // the month by name: 12/3 is a day in March elsewhere

  // Words of strangers: put in as text, never as markup. A moment is told in the reader's own clock.
  const tell = (answer) => {
    for (const place of page.querySelectorAll("[data-field]")) {
      const value = place.dataset.field.split(".").reduce((found, name) => found?.[name], answer) ?? "–";
      place.textContent = place.dataset.field.endsWith("_at") ? new Date(value).toLocaleString([], CLOCK) : value;
    }
  };

  const confirm = async (event) => {
    event?.preventDefault();
    fault("");
    if (typed && !typed.value) {
      fault("This field is required.");
      return;
    }
    press.disabled = true;
    say(message, working);
    const body = "needsToken" in page.dataset ? { token: readToken() } : {};
    if (typed) {
      body[typed.name] = typed.type === "email" ? typed.value.trim() : typed.value;
    }
    if ("signsIn" in page.dataset) {
      Object.assign(body, { token_transport: "body", device_name: "Confirmation page" });
    }
    try {
      const response = await post(action, body);
      const refused = response.status === 422 ? await faultsOf(response) : "";
      if (response.ok) {
        const answer = response.status === 204 ? {} : await response.json();
        if (answer.refresh_token) {
          void endSession(answer.refresh_token);
        }
        form.reset();
        if ("shows" in page.dataset) {
          tell(answer);
        } else {
          history.replaceState(null, "", location.pathname);
        }
        show("done", !("shows" in page.dataset));
      } else if (refused) {
        say(message, "");
        fault(refused);
      } else if (response.status === 410 || response.status === 422) {
        show("dead");
      } else {
        say(message, await explain(response), true);
      }
    } catch {
      say(message, OFFLINE, true);
    } finally {
      press.disabled = false;
    }
  };

  const rest = (button, seconds) => {
    const label = button.textContent;
    const until = performance.now() + seconds * 1000;
    button.disabled = true;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Again in ${left} s` : label;
      if (left > 0) {
        setTimeout(tick, 500);
      }
    };
    tick();
  };

  const sendAgain = async (event) => {
    event.preventDefault();
    const where = resend.querySelector("[data-resend-message]");
    const button = resend.querySelector("button");
    button.disabled = true;
    say(where, "Sending …");
    try {
      const response = await post(resend.dataset.resend, { email: resend.elements.email.value.trim() });
      if (response.ok) {
        const answer = await response.json().catch(() => ({}));
        say(where, resend.dataset.resent);
        rest(button, Number(answer.resend_after) || 60);
        return;
      }
      say(where, await explain(response), true);
    } catch {
      say(where, OFFLINE, true);
    }
    button.disabled = false;
  };

  const start = () => {
    const whole = !("needsToken" in page.dataset) || readToken();
    show(whole ? "ready" : "incomplete", false);
    if (appScheme) {
      const open = page.querySelector("[data-open-app]");
      open.href = `${appScheme}://${path}${location.hash}`;
      open.hidden = false;
      const back = page.querySelector("[data-back-to-app]");
      back.href = "shows" in page.dataset ? open.href : `${appScheme}://`;
      back.hidden = false;
    }
    if (whole && "shows" in page.dataset) {
      void confirm();
    }
  };

  form.addEventListener("submit", confirm);
  if (reveal) {
    reveal.addEventListener("click", () => {
      const shown = typed.type === "text";
      typed.type = shown ? "password" : "text";
      reveal.setAttribute("aria-pressed", String(!shown));
      reveal.textContent = shown ? "Show" : "Hide";
    });
  }
  if (resend) {
    resend.addEventListener("submit", sendAgain);
  }
  window.addEventListener("hashchange", start);
  start();
})();
