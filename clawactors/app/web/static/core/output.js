// What a task prints and emits, live.

import { path } from "./api.js";
import { h, put } from "./dom.js";
import { follow } from "./live.js";
import { ask, button, code, section, toast } from "./widgets.js";

const MOST = 400_000; // characters that stay on the page

/** The section of it; `isOpen()` says whether more may come. */
export function outputOf(where, signal, isOpen) {
  const pre = h("pre", { class: "log", tabindex: "0", role: "log", "aria-label": "Output", "aria-live": "off" });
  const state = h("span", { class: "muted", role: "status" });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": "Stream" });
  let stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());

  function choose(name) {
    stop.abort();
    stop = new AbortController();
    const mine = stop;
    put(pre);
    for (const each of tabs.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each.dataset.stream === name));
    let waiting = "";
    let frame = 0;
    let length = 0;
    const flush = () => {
      frame = 0;
      const down = pre.scrollTop + pre.clientHeight > pre.scrollHeight - 30;
      pre.append(waiting);
      length += waiting.length;
      waiting = "";
      while (length > MOST && pre.firstChild !== pre.lastChild) {
        length -= pre.firstChild.textContent.length;
        pre.firstChild.remove();
      }
      if (down) pre.scrollTop = pre.scrollHeight;
    };
    follow(where + path("stream", name), {}, {
      signal: mine.signal,
      onEvent: ({ data }) => {
        waiting += textOf(data);
        frame ||= requestAnimationFrame(flush);
      },
      onState: (text, error) => {
        if (mine !== stop) return;
        state.textContent = error ? "" : { live: isOpen() ? "live" : "", retrying: "reconnecting…", ended: "" }[text];
        if (error && error.status !== 404) toast(error.message, "warn", error.hint);
      },
    });
  }

  function textOf(data) {
    let chunk = data;
    try {
      chunk = JSON.parse(data);
    } catch {
      return data;
    }
    const value = chunk && typeof chunk === "object" ? (chunk.text ?? chunk.value ?? chunk) : chunk;
    return typeof value === "string" ? value : value && typeof value.text === "string" ? value.text : `${JSON.stringify(value)}\n`;
  }

  const other = button("Other…", async () => {
    const given = await ask({ title: "Another stream", text: "The name that the task's code emits to.", fields: [{ name: "name", label: "Stream", required: true }], submit: "Follow" });
    if (!given) return;
    other.before(button(given.name, () => choose(given.name), { class: "small", "data-stream": given.name }));
    choose(given.name);
  }, { class: "quiet small" });
  put(tabs, [["log", "Log"], ["out", "Tokens"]].map(([name, text]) => button(text, () => choose(name), { class: "small", "data-stream": name })), other);
  const element = section("Output", { extra: h("div", { class: "row" }, state, tabs) }, pre, h("p", { class: "muted hint" }, "What the code prints (", code("log"), ") and what it emits (", code("task.emit"), ")."));
  return { element, start: (name) => choose(name || "log") };
}
