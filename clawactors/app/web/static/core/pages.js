// A page that is a table with actions: what several pages share.

import { busy, h, put } from "./dom.js";
import { repeat } from "./live.js";
import { act, button, sure, table, trouble } from "./widgets.js";

/**
 * Shows `load()`'s rows and keeps them up to date; resolves when they are there. `columns(refresh)` may use `refresh` in
 * actions. `none()` is what is shown without rows.
 */
export async function tablePage({ root, signal, title, intro, actions = () => [], load, columns, none, every = 3000, after }) {
  const body = h("div", { class: "card" });
  let seen = "";
  const refresh = async () => {
    const rows = await load();
    const now = JSON.stringify(rows);
    if (now === seen || (seen && busy(body))) return;
    seen = now;
    const at = focusPlace(body);
    const open = [...body.querySelectorAll("details")].map((each) => each.open);
    put(body, rows.length ? table(title, columns(refresh), rows) : none());
    body.querySelectorAll("details").forEach((each, place) => (each.open ||= Boolean(open[place])));
    focusAgain(body, at);
  };
  put(root, h("div", { class: "title" }, h("h1", null, title), h("div", { class: "row" }, actions(refresh))), intro ? h("p", { class: "muted" }, intro) : null, body, after ?? null);
  await refresh();
  repeat(every, signal, refresh, (error) => (error.status === 401 ? null : ((seen = ""), put(body, trouble(error, () => refresh())))));
  return refresh;
}

const focusable = (body) => [...body.querySelectorAll("a,button,input,summary")];
const focusPlace = (body) => (body.contains(document.activeElement) ? focusable(body).indexOf(document.activeElement) : -1);
function focusAgain(body, at) {
  if (at >= 0) focusable(body)[Math.min(at, focusable(body).length - 1)]?.focus({ preventScroll: true });
}

/** A button of the row of that name: does it, says so, and loads the rows again. */
export const rowAction = (text, name, call, done, refresh) => button(text, async (event) => {
  if ((await act(event.target, call, done)) !== undefined) await refresh();
}, { class: "small", "aria-label": `${text} ${name}` });

/** The button that removes it, after a question that says what stays. */
export const removal = (name, stays, call, refresh) => button("Remove", async (event) => {
  if ((await sure(`Remove ${name}?`, stays, "Remove")) && (await act(event.target, call, "Removed")) !== undefined) await refresh();
}, { class: "small", "aria-label": `Remove ${name}` });
