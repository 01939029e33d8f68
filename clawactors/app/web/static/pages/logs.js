// The event log: what happened in the cluster, live.

import { get } from "../core/api.js";
import { h, later, put } from "../core/dom.js";
import { exact, number } from "../core/format.js";
import { list } from "../core/list.js";
import { follow } from "../core/live.js";
import { button, empty, filters, json, section, taskLink } from "../core/widgets.js";

const MOST = 5000;
const BACK = 1000; // events before the end that are shown first
const FAR = 20_000; // the same where only some are wanted

export default async function logs({ root, signal, query, set }) {
  let wanted = query;
  let following = new AbortController();
  let paused = false;
  let unseen = 0;
  const rows = [];
  const state = h("span", { class: "muted", role: "status" });
  const detail = h("div", null);
  const hold = button("Pause", () => {
    paused = !paused;
    hold.textContent = paused ? "Continue" : "Pause";
    hold.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      unseen = 0;
      show();
    }
  }, { "aria-pressed": "false" });
  const shown = list({
    label: "Events",
    key: (row) => `${row.seq}.${row.place}`,
    load: async () => ({ rows: wanted.from ? [...rows] : [...rows].reverse(), cursor: null }),
    empty: () => empty("No event has come yet.", "Events appear here as they are recorded."),
    onError: (error) => error.message,
    columns: [
      ["Seq", (row) => button(String(row.seq), () => open(row), { class: "quiet small mono", "aria-label": `Show event ${row.seq}` }), "seq"],
      ["Time", (row) => h("time", { datetime: row.at, title: row.at }, exact(row.at).slice(11)), "when"],
      ["Event", (row) => row.type, "type"],
      ["Of", (row) => (row.kind === "task" && row.id ? taskLink(row.id) : (row.id ?? "")), "task"],
      ["Says", (row) => h("span", { class: "mono" }, row.brief), "note"],
    ],
  });
  const show = () => shown.restart();
  const soon = later(100, () => (paused ? (state.textContent = `${number(++unseen)} new`) : shown.element.scrollTop > 200 ? null : show()));

  function open(row, scroll = true) {
    put(detail, section(`Event ${row.seq}`, h("div", { class: "payload" }, json(row.data, "", true))));
    if (scroll) detail.scrollIntoView({ block: "nearest" });
  }

  async function start() {
    following.abort();
    following = new AbortController();
    const mine = following;
    rows.length = 0;
    put(detail);
    const { from: first = "", ...narrow } = wanted;
    const begin = first ? Number(first) - 1 : (await get("/status", {}, signal)).log.last_seq - (Object.values(narrow).some(Boolean) ? FAR : BACK);
    if (mine.signal.aborted) return;
    follow("/events", { ...narrow, from: Math.max(0, begin || 0) }, {
      signal: mine.signal,
      onEvent: ({ data }) => {
        const event = JSON.parse(data);
        const { seq, at, kind, id, type, ...said } = event;
        rows.push({ seq, at, kind, id, type, place: rows.at(-1)?.seq === seq ? rows.at(-1).place + 1 : 0, brief: JSON.stringify(said).slice(0, 300), data: event });
        if (first && rows.length === 1) open(rows[0], false);
        if (rows.length > MOST) {
          if (!first) rows.splice(0, rows.length - MOST);
          else {
            mine.abort();
            state.textContent = `${number(MOST)} events; ask for later ones by their sequence`;
          }
        }
        soon();
      },
      onState: (now, error) => {
        if (!paused) state.textContent = error ? error.message : { live: "live", retrying: "reconnecting…", ended: "" }[now];
      },
    });
    show();
  }
  signal.addEventListener("abort", () => following.abort());
  put(root, h("div", { class: "title" }, h("h1", null, "Log"), state, h("div", { class: "row" }, hold)), filters([
    { name: "task", label: "Task", kind: "search", placeholder: "id of a task" }, { name: "type", label: "Event", placeholder: "task.dead", list: ["task.submitted", "task.started", "task.completed", "task.attempt_failed", "task.dead", "step.completed", "node.registered"] },
    { name: "skill", label: "Skill" }, { name: "user", label: "User" }, { name: "from", label: "From sequence", kind: "number" },
  ], wanted, (changes) => set(changes, { replace: true })), shown.element, detail);
  await start();
  return {
    update(next) {
      wanted = next;
      return start();
    },
  };
}
