// The development mailbox: copying, deleting, and new mails that turn up by themselves.
"use strict";

(() => {
  const message = document.querySelector("[data-message]");
  const box = document.querySelector("[data-poll]");
  const json = { headers: { Accept: "application/json" }, cache: "no-store" };

  // navigator.clipboard exists on https and localhost only; a phone on the desk comes by plain http.
  const copy = async (text) => {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(text);
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? undefined : Promise.reject(new Error("copy"));
  };

  const copyFrom = async (button) => {
    const label = button.textContent;
    try {
      await copy(button.dataset.copy);
      button.textContent = "Copied";
      message.textContent = "Copied to the clipboard.";
    } catch {
      message.textContent = "The browser did not let the page copy. Select the text instead.";
    }
    setTimeout(() => {
      button.textContent = label;
      message.textContent = "";
    }, 1500);
  };

  const clear = async (button) => {
    button.disabled = true;
    const answer = await fetch(button.dataset.clear, { method: "DELETE" }).catch(() => null);
    if (answer && answer.ok) {
      location.reload();
      return;
    }
    button.disabled = false;
    message.textContent = "The mails could not be deleted.";
  };

  const look = async () => {
    if (!document.hidden && !document.activeElement.matches("input")) {
      try {
        const { items } = await (await fetch(box.dataset.poll, json)).json();
        if ((items.length ? items[0].id : "") !== box.dataset.newest) {
          location.reload();
          return;
        }
      } catch {
        // The service is being restarted: look again.
      }
    }
    setTimeout(look, 3000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && "copy" in button.dataset) {
      void copyFrom(button);
    } else if (button && "clear" in button.dataset) {
      void clear(button);
    }
  });
  if (box) {
    setTimeout(look, 3000);
  }
})();
