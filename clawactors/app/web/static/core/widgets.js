// The parts that all pages are made of.

import { path } from "./api.js";
import { h, later, put, s, say } from "./dom.js";
import { bytes } from "./format.js";

const SIGNS = {
  completed: "✓", running: "▶", scheduled: "▷", pending: "…", waiting: "◷", paused: "‖", blocked: "!", failed: "✕",
  dead: "✕", cancelled: "–", archived: "▤", online: "●", busy: "●", offline: "○", draining: "◐", cordoned: "◌",
  active: "●", ok: "✓", warning: "!", unknown: "?", interrupted: "!", compensated: "↶", undo_failed: "✕", live: "●",
};
const TONES = {
  completed: "good", online: "good", ok: "good", active: "good", live: "good", running: "info", scheduled: "info",
  busy: "info", failed: "bad", dead: "bad", offline: "bad", undo_failed: "bad", blocked: "warn", warning: "warn", raised: "bad",
  draining: "warn", interrupted: "warn", paused: "warn",
};
const FOLD = 400; // characters of JSON beyond which a value is folded
const MOST = 200; // entries of a list or object that are shown at once

/** A state, by sign, word and colour. */
export function badge(status, text = status) {
  return h("span", { class: `badge ${TONES[status] ?? ""}` }, h("span", { "aria-hidden": "true" }, SIGNS[status] ?? "•"), " ", text);
}

/** An id that can be followed and copied. */
export function idOf(id, href, shown = id) {
  if (!id) return "–";
  const text = href ? h("a", { href }, shown) : h("span", null, shown);
  return h("span", { class: shown === id ? "id mono" : "id", title: id }, text, copier(id));
}

export const taskLink = (id, shown) => idOf(id, id && path("tasks", id), shown);

const copyIcon = () => s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("rect", { x: 5, y: 5, width: 9, height: 9, rx: 2 }), s("path", { d: "M11 5V4a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v5a2 2 0 0 0 2 2h1" }));

export function copier(text, label = "Copy") {
  const button = h("button", { type: "button", class: "copy", "aria-label": `${label} ${text.slice(0, 80)}`, title: label }, copyIcon());
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "✓";
      say("Copied");
    } catch {
      toast("The browser does not let this page copy.", "warn");
    }
    setTimeout(() => put(button, copyIcon()), 1200);
  });
  return button;
}

export const button = (text, click, props = {}) => h("button", { type: "button", ...props, on: { click } }, text);

/** A section of a page under a heading. */
export function section(title, ...kids) {
  const extra = kids[0]?.extra;
  return h("section", { class: "card" }, h("div", { class: "head" }, h("h2", null, title), extra ?? null), extra ? kids.slice(1) : kids);
}

/** Names and values, side by side. Empty ones are left out. */
export function facts(pairs) {
  const filled = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== "–");
  return h("dl", { class: "facts" }, filled.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

export const empty = (title, ...rest) => h("div", { class: "empty" }, h("p", { class: "strong" }, title), rest.length ? h("p", { class: "muted" }, rest) : null);
export const code = (text) => h("code", null, text);

/** What went wrong, and what to do, as the API says it. */
export function trouble(error, again) {
  return h("div", { class: "trouble", role: "alert" },
    h("p", { class: "strong" }, error.message),
    error.hint ? h("p", null, error.hint) : null,
    again ? button("Try again", again) : null);
}

/** A short message that goes away; errors stay until they are closed. */
export function toast(text, tone = "good", hint = "") {
  const box = h("div", { class: `toast ${tone}`, role: tone === "bad" ? "alert" : "status" }, h("p", null, text), hint ? h("p", { class: "muted" }, hint) : null);
  box.append(button("Close", () => box.remove(), { class: "quiet" }));
  const all = document.getElementById("toasts");
  all.append(box);
  while (all.children.length > 4) all.firstChild.remove();
  if (tone !== "bad") setTimeout(() => box.remove(), 6000);
}

export const failed = (error) => error.name !== "AbortError" && toast(error.message, "bad", error.hint);

/** Does it with the button off meanwhile; says what went wrong. */
export async function act(target, call, done = "") {
  if (target) target.disabled = true;
  try {
    const result = await call();
    if (done) toast(typeof done === "function" ? done(result) : done);
    return result;
  } catch (error) {
    failed(error);
    return undefined;
  } finally {
    if (target) target.disabled = false;
  }
}

/** A table from columns `[title, cell(row), class]`. */
export function table(caption, columns, rows) {
  const body = h("tbody", null, rows.map((row) => h("tr", null, columns.map(([title, cell, kind = ""], place) =>
    h(place === 0 ? "th" : "td", { class: kind, "data-title": title, ...(place === 0 && { scope: "row" }) }, cell(row))))));
  const made = h("table", null, h("caption", { class: "unseen" }, caption), h("thead", null, h("tr", null, columns.map(([title, , kind = ""]) => h("th", { scope: "col", class: kind }, title || h("span", { class: "unseen" }, "Actions"))))), body);
  return h("div", { class: "scroll", role: "group", "aria-label": caption, tabindex: "0" }, made);
}

/** A value as JSON that unfolds; long parts are made when they are opened. */
export function json(value, name = "", open = false) {
  const label = name.trim() && h("span", { class: "key" }, `${name}: `);
  if (value === null || typeof value !== "object") {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (text.length <= FOLD) return h("div", { class: `value ${typeof value}` }, label, text);
    return fold([label, `${text.slice(0, 80)}… `, h("span", { class: "muted" }, bytes(text.length))], () => h("pre", { tabindex: "0" }, text));
  }
  const entries = Object.entries(value);
  const kind = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  if (!entries.length) return h("div", { class: "value" }, label, Array.isArray(value) ? "[]" : "{}");
  const brief = JSON.stringify(value);
  const list = () => h("div", { class: "nest" }, more(entries, ([key, each]) => json(each, key)), name.trim() ? copyJson(value) : null);
  return fold([label, kind, h("span", { class: "muted" }, ` ${brief.length > 90 ? `${brief.slice(0, 90)}…` : brief}`)], list, open || (brief.length <= FOLD && entries.length < 12 && name === ""));
}

function copyJson(value) {
  return h("div", null, copier(JSON.stringify(value, null, 2), "Copy as JSON"));
}

/** The first entries, and a button for more. */
function more(entries, make, from = 0) {
  const made = entries.slice(from, from + MOST).map(make);
  const left = entries.length - from - MOST;
  if (left <= 0) return made;
  const rest = button(`${left} more`, () => rest.replaceWith(...more(entries, make, from + MOST)));
  return [...made, rest];
}

/** A summary that opens; what is inside is made when it is opened first. */
export function fold(summary, make, open = false) {
  const inside = h("div", null);
  const element = h("details", { open }, h("summary", null, summary), inside);
  let made = false;
  const show = () => {
    if (made || !element.open) return;
    made = true;
    put(inside, make());
  };
  element.addEventListener("toggle", show);
  show();
  return element;
}

/** A dialog with fields; resolves to their values, or null when it was closed. */
export function ask({ title, text, content, fields = [], submit = "OK", cancel = "Cancel", danger = false, send }) {
  return new Promise((resolve) => {
    const problem = h("div", null);
    const inputs = fields.map((each) => [each, control(each)]);
    const go = h("button", { type: "submit", class: danger ? "danger" : "primary" }, submit);
    const form = h("form", { method: "dialog" },
      h("h2", { id: "ask-title" }, title),
      text ? h("p", null, text) : null,
      content,
      inputs.map(([each, input]) => field(each, input)),
      problem,
      h("div", { class: "row end" }, cancel && button(cancel, () => dialog.close()), go));
    const dialog = h("dialog", { "aria-labelledby": "ask-title" }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        const values = Object.fromEntries(inputs.map(([each, input]) => [each.name, read(each, input)]));
        result = send ? ((await send(values)) ?? values) : values;
        dialog.close();
      } catch (error) {
        put(problem, trouble(error));
        go.disabled = false;
      }
    });
    dialog.addEventListener("close", () => (dialog.remove(), resolve(result)));
    document.body.append(dialog);
    dialog.showModal();
    (inputs[0]?.[1] ?? go).focus();
  });
}

export const sure = async (title, text, submit, danger = true) => (await ask({ title, text, submit, danger })) !== null;

let fieldCount = 0;

/** A label with its input and a hint. */
export function field({ label, hint }, input) {
  input.id ||= `field-${++fieldCount}`;
  const note = hint && h("span", { class: "hint", id: `${input.id}-hint` }, hint);
  if (note) input.setAttribute("aria-describedby", note.id);
  const tick = input.type === "checkbox";
  return h("div", { class: tick ? "field tick" : "field" }, tick ? input : null, h("label", { for: input.id }, label), tick ? null : input, note);
}

export function control({ name, kind = "text", value = "", options, required, multiple, rows = 4, placeholder, list }) {
  if (options) return h("select", { name, required }, options.map((each) => [each].flat()).map(([key, text = key]) => h("option", { value: key, selected: key === value }, text)));
  if (kind === "json" || kind === "long") return h("textarea", { name, rows, required, spellcheck: "false", placeholder, class: kind === "json" ? "mono" : "", value });
  if (kind === "file") return h("input", { type: "file", name, required, multiple });
  if (kind === "check") return h("input", { type: "checkbox", name, checked: Boolean(value) });
  const input = h("input", { type: kind, name, value, required, placeholder, autocomplete: "off", spellcheck: "false" });
  if (!list) return input;
  const id = `list-${++fieldCount}`;
  input.setAttribute("list", id);
  document.getElementById(id)?.remove();
  queueMicrotask(() => input.parentElement?.append(h("datalist", { id }, list.map((each) => h("option", { value: each })))));
  return input;
}

function read({ kind, label, value }, input) {
  if (kind === "check") return input.checked;
  if (kind === "file") return [...input.files];
  if (kind === "number") return input.value === "" ? undefined : Number(input.value);
  if (kind !== "json") return input.value.trim();
  if (!input.value.trim()) return value === undefined ? undefined : {};
  try {
    return JSON.parse(input.value);
  } catch (error) {
    throw Object.assign(new Error(`${label} is no valid JSON: ${error.message}`), { hint: 'as in {"name": "value"}' });
  }
}

/** A row of filters that writes into the query of the URL. */
export function filters(defs, values, set) {
  const typed = later(250, (name, value) => set({ [name]: value || undefined }));
  const form = h("form", { class: "filters", role: "search", on: { submit: (event) => event.preventDefault() } }, defs.map((def) => {
    const input = control({ ...def, value: values[def.name] ?? def.value ?? "" });
    input.addEventListener(def.options || def.kind === "check" ? "change" : "input", () =>
      def.options || def.kind === "check" ? set({ [def.name]: (def.kind === "check" ? input.checked && "1" : input.value) || undefined }) : typed(def.name, input.value.trim()));
    return field(def, input);
  }));
  if (defs.length > 2) {
    const rest = button("More filters", () => rest.setAttribute("aria-expanded", String(form.classList.toggle("open"))), { class: "more", "aria-expanded": "false" });
    form.insertBefore(rest, form.children[2]);
  }
  return form;
}

/** How many slots of a node are in use. */
export const slots = ({ running, slots: all }) => [meter(all ? running / all : 0, `${running} of ${all} slots in use`), ` ${running}/${all}`];

/** A share from 0 to 1 as a bar; a `load` that is high is coloured. */
export const meter = (share, label, load = true) => h("span", { class: "meter", role: "img", "aria-label": label }, h("span", { class: !load ? "" : share > 0.9 ? "bad" : share > 0.75 ? "warn" : "", style: { width: `${Math.min(100, Math.max(0, share * 100))}%` } }));
