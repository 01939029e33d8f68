// Chooses the page that the URL names, and does what all pages share: navigation, shortcuts, theme, sign-in.

import { get, onSignedOut, query } from "./core/api.js";
import { h, put, say } from "./core/dom.js";
import { repeat } from "./core/live.js";
import { badge, trouble } from "./core/widgets.js";

const PAGES = [
  // path, title, key after g, module, group
  ["/", "Overview", "o", "overview", ""],
  ["/tasks", "Tasks", "t", "tasks", "Work"],
  ["/approvals", "Approvals", "a", "approvals", "Work"],
  ["/workflows", "Workflows", "w", "workflows", "Work"],
  ["/schedules", "Schedules", "s", "schedules", "Work"],
  ["/triggers", "Triggers", "r", "triggers", "Work"],
  ["/faults", "Dead letters", "d", "faults", "Work"],
  ["/memory", "Memory", "m", "memory", "Knowledge"],
  ["/nodes", "Nodes", "n", "nodes", "Cluster"],
  ["/logs", "Log", "l", "logs", "Cluster"],
  ["/access", "Access", "y", "access", "Cluster"],
  ["/doctor", "Doctor", "c", "doctor", "Cluster"],
  ["/settings", "Settings", "e", "settings", "Cluster"],
];
const main = document.getElementById("main");
const nav = document.getElementById("nav");
let shown = { key: "", end: new AbortController(), page: null };

function makeNav() {
  const groups = [...new Set(PAGES.map((each) => each[4]))];
  put(nav, groups.map((group) => [
    group && h("p", { class: "group", id: `nav-${group}` }, group),
    h("ul", group ? { "aria-labelledby": `nav-${group}` } : {}, PAGES.filter((each) => each[4] === group).map(([path, title]) =>
      h("li", null, h("a", { href: path }, h("span", null, title), h("span", { class: "count", data: { count: path } }))))),
  ]));
}

function place() {
  const parts = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const known = PAGES.find(([path]) => path === `/${parts[0] ?? ""}`);
  const module = known && parts.length > 1 && known[3] === "tasks" ? "task" : known?.[3];
  return { known, module, rest: parts.slice(1) };
}

function queryNow() {
  const made = {};
  for (const [name, value] of new URLSearchParams(location.search)) made[name] = Object.hasOwn(made, name) ? [made[name], value].flat() : value;
  return made;
}

/** Goes to an address of the dashboard. */
export function go(href, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href);
  return show();
}

async function show() {
  const { known, module, rest } = place();
  const key = `${module}/${rest.join("/")}`;
  for (const link of nav.querySelectorAll("a")) {
    if (link.getAttribute("href") === known?.[0]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  openMenu(false);
  if (shown.key === key && shown.page?.update) {
    const { signal } = shown.end;
    main.setAttribute("aria-busy", "true");
    await shown.page.update(queryNow());
    if (!signal.aborted) main.removeAttribute("aria-busy");
    return;
  }
  shown.end.abort();
  const end = new AbortController();
  shown = { key, end, page: null };
  const root = h("div", { class: `page page-${module}` });
  main.setAttribute("aria-busy", "true");
  const title = known?.[1] ?? "Not found";
  document.title = `${title} · ClawActors`;
  try {
    if (!module) {
      put(root, h("h1", null, "There is no such page"), h("p", null, h("a", { href: "/" }, "Go to the overview")));
    } else {
      const { default: page } = await import(`./pages/${module}.js`);
      if (end.signal.aborted) return;
      const context = {
        root, rest, signal: end.signal, query: queryNow(), go,
        title: (text) => (document.title = `${text} · ClawActors`),
        set: (changes, how) => go(location.pathname + query({ ...queryNow(), ...changes }), how),
      };
      const ready = page(context);
      put(main, root);
      shown.page = (await ready) ?? {};
    }
  } catch (error) {
    if (end.signal.aborted || error.name === "AbortError") return;
    if (error.status !== 401) put(root, h("h1", null, title), trouble(error, () => ((shown.key = ""), show())));
  }
  if (end.signal.aborted) return;
  if (root.parentElement !== main) put(main, root);
  main.removeAttribute("aria-busy");
  say(document.title);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = new URL(link.href);
  if (link.target || link.hasAttribute("download") || target.origin !== location.origin || /^\/(api|assets|openapi|login)/.test(target.pathname)) return;
  if (link.classList.contains("skip")) {
    event.preventDefault();
    main.focus();
    return;
  }
  event.preventDefault();
  go(target.pathname + target.search);
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});
addEventListener("popstate", show);

// The menu of small screens.
const menu = document.getElementById("menu");
function openMenu(open) {
  document.body.classList.toggle("menu", open);
  menu.setAttribute("aria-expanded", String(open));
}
menu.addEventListener("click", () => openMenu(!document.body.classList.contains("menu")));

// What the browser keeps, where it may.
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage may be off
  }
}

// Light and dark.
const theme = document.getElementById("theme");
const THEMES = ["system", "light", "dark"];
const themeNow = () => document.documentElement.dataset.theme ?? "system";
function setTheme(chosen) {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  put(theme, h("span", { class: "wideonly" }, "Theme: "), chosen);
  theme.setAttribute("aria-label", `Theme: ${chosen}`);
  keep("claw-theme", chosen);
}
theme.addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(themeNow()) + 1) % 3]));
setTheme(themeNow());

// Shortcuts of one key; they can be switched off, for those who speak to their computer.
let off = kept("claw-keys") === "off";
let prefix = 0;
addEventListener("keydown", (event) => {
  if (event.key === "Escape") openMenu(false);
  if (off || event.metaKey || event.ctrlKey || event.altKey || event.target.closest?.("input,textarea,select,dialog,[contenteditable]")) return;
  if (event.key === "g") prefix = Date.now();
  else if (Date.now() - prefix < 1500 && PAGES.some((each) => each[2] === event.key)) {
    prefix = 0;
    event.preventDefault();
    go(PAGES.find((each) => each[2] === event.key)[0]);
    main.focus({ preventScroll: true });
  } else if (event.key === "/") {
    const field = main.querySelector("form[role=search] input");
    if (field) event.preventDefault(), field.focus();
  } else if (event.key === "?") help();
});

function help() {
  const keys = [["g then …", "go to a page"], ...PAGES.map(([, title, key]) => [`g ${key}`, title]), ["/", "search on this page"], ["↑ ↓ or j k", "move in a list"], ["Enter", "open"], ["x", "select in a list"], ["Esc", "close"], ["?", "this help"]];
  const tick = h("input", { type: "checkbox", id: "keys-on", checked: !off });
  tick.addEventListener("change", () => {
    off = !tick.checked;
    keep("claw-keys", off ? "off" : "on");
  });
  const dialog = h("dialog", { "aria-labelledby": "help-title" }, h("h2", { id: "help-title" }, "Keyboard shortcuts"),
    h("dl", { class: "keys" }, keys.map(([key, what]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, what)))),
    h("div", { class: "field tick" }, tick, h("label", { for: "keys-on" }, "Shortcuts are on")),
    h("form", { method: "dialog", class: "row end" }, h("button", { class: "primary" }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
document.getElementById("help").addEventListener("click", help);

// Who is not signed in sees how to.
onSignedOut(async () => {
  if (shown.key === "sign-in") return;
  shown.end.abort();
  shown = { key: "sign-in", end: new AbortController(), page: null };
  const { default: page } = await import("./pages/signin.js");
  document.title = "Sign in · ClawActors";
  put(main, page());
  main.removeAttribute("aria-busy");
  document.body.classList.add("signed-out");
});

// The state of the cluster, on all pages.
const health = document.getElementById("health");
async function showHealth() {
  if (shown.key === "sign-in") return;
  const [status, asked] = await Promise.all([get("/status"), get("/approvals").catch(() => ({ rows: [] }))]);
  const { tasks, leader } = status;
  put(health, leader ? badge("ok", "healthy") : badge("warning", "no control process answers"));
  const counts = { "/approvals": asked.rows.length, "/faults": tasks.dead + tasks.blocked };
  for (const element of nav.querySelectorAll("[data-count]")) element.textContent = counts[element.dataset.count] || "";
}
const unwell = (error) => error.status !== 401 && put(health, badge("warning", error.status ? "not answering" : "disconnected"));
showHealth().catch(unwell);
repeat(5000, new AbortController().signal, showHealth, unwell);

makeNav();
show();
