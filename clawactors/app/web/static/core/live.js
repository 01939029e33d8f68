// Follows server-sent events, with the id of the last one, so that a reconnect misses nothing and repeats nothing.

import { ApiError, query, request } from "./api.js";

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const HIDDEN_MS = 10_000;

/** Waits; ends early when the signal aborts. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Calls it when the page is hidden or seen again, until the signal aborts. */
function onSeen(call, signal) {
  document.addEventListener("visibilitychange", call, { signal });
}

/** Waits until somebody sees the page; ends early when the signal aborts. */
function seen(signal) {
  if (!document.hidden || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
    onSeen(() => document.hidden || resolve(), signal);
  });
}

/** Aborts with the signal, and when nobody has seen the page for a while. */
function whileSeen(signal) {
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  let timer = 0;
  onSeen(() => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => own.abort(), HIDDEN_MS);
  }, both);
  return both;
}

/**
 * Calls `onEvent({ id, type, data })` for each event until the signal aborts, or the server says that the path is not there.
 * `onState` hears `live`, `retrying` and `ended`.
 *
 * A page that nobody sees gives its connection back: a browser has six to a server, for all of its tabs.
 */
export async function follow(where, given, { signal, onEvent, onState = () => {} }) {
  let wait = FIRST_MS;
  let last = "";
  while (!signal.aborted) {
    await seen(signal);
    const turn = whileSeen(signal);
    try {
      const headers = { accept: "text/event-stream", ...(last && { "last-event-id": last }) };
      const response = await request("GET", where + query(given), { headers, signal: turn });
      onState("live");
      for await (const event of events(response.body)) {
        wait = FIRST_MS;
        if (event.id) last = event.id;
        if (event.type === "end") return onState("ended");
        if (event.type === "lagged") break; // what did not fit comes after the next connect
        if (event.data !== undefined) onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (turn.aborted) continue;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
        onState("ended", error);
        return;
      }
    }
    if (signal.aborted) return;
    onState("retrying");
    await pause(wait * (0.5 + Math.random()), signal); // many that were cut off together come one by one
    wait = Math.min(wait * 2, LONGEST_MS);
  }
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data !== undefined || event.type || event.id) yield event; // an id alone says how far the log is
          event = {};
          continue;
        }
        const [, name, text] = line.match(/^([^:]*)(?:: ?(.*))?$/s) ?? [];
        if (name === "data") event.data = event.data === undefined ? (text ?? "") : `${event.data}\n${text ?? ""}`;
        else if (name === "id") event.id = text ?? "";
        else if (name === "event") event.type = text ?? "";
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Calls it every `ms`, first after `ms`, while the page is seen. An error is handed to `onError` and it goes on. */
export async function repeat(ms, signal, call, onError = () => {}) {
  for (;;) {
    await pause(ms, signal);
    if (signal.aborted) return;
    if (document.hidden) continue;
    try {
      await call();
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      onError(error);
      if (error.status === 401) return;
    }
  }
}
