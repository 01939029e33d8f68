// Dead letters: what was given up, what waits for a person, what could not be delivered or read.

import { get, path, post } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { number, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { act, button, empty, failed, section, sure, table, taskLink, toast } from "../core/widgets.js";

const MOST = 100;

export default async function faults({ root, signal }) {
  const dead = h("div", null);
  const blocked = h("div", null);
  const others = h("div", null);
  const amount = h("span", { class: "muted", role: "status" });
  put(root, h("div", { class: "title" }, h("h1", null, "Dead letters"), amount), h("p", { class: "muted" }, "What was given up and is kept. Redrive it when its cause is mended."), dead, blocked, others);
  let seen = "";

  const taskTable = (title, rows, reason = false) => table(title, [
    ["Task", (row) => taskLink(row.id, row.name || row.id)], ["Skill", (row) => row.skill], ["Class", (row) => (row.error ? h("a", { href: `/tasks?error=${encodeURIComponent(row.error.class)}` }, row.error.class) : "–")],
    [reason ? "Reason" : "Error", (row) => (reason && row.blocked_reason) || row.error?.message || "–", "wide"], ["Attempts", (row) => number(row.attempt), "num"], ["When", (row) => time(row.updated_at)],
    ["", (row) => button("Retry", async (event) => {
      if (await act(event.target, () => post(`${path("tasks", row.id)}/retry`), "It runs again")) await refresh(true);
    }, { class: "small", "aria-label": `Retry ${row.name || row.id}` }), "act"],
  ], rows);

  async function redriveAll(count) {
    if (!(await sure(`Redrive ${number(count)} dead tasks?`, "Each runs again from its last completed step.", "Redrive", false))) return;
    const done = await act(null, () => post("/tasks/change", { change: "redrive", filter: { status: ["dead"] }, limit: 1000, rate_per_s: 200 }), (summary) => `${number(summary.changed)} of ${number(summary.found)} run again${summary.more ? "; there are more" : ""}.`);
    if (done) await refresh(true);
  }

  async function settle(target, verb, row, done) {
    const answer = await act(target, () => post(`/dead-letters/${verb}`, { ids: [row.id] }));
    const [report] = answer?.rows ?? [];
    if (report) toast(report.done ? done : report.left, report.done ? "good" : "warn");
    await refresh(true);
  }

  async function refresh(now = false) {
    const [gone, stuck, kept, status] = await Promise.all([
      get("/tasks", { status: "dead", limit: MOST }, signal), get("/tasks", { status: "blocked", limit: MOST }, signal),
      get("/dead-letters", { kind: "delivery,command,record", limit: MOST }, signal), get("/status", {}, signal),
    ]);
    const text = JSON.stringify([gone, stuck, kept, status.faults]);
    if (text === seen || (!now && root.contains(document.activeElement) && document.activeElement.matches("button"))) return;
    seen = text;
    const count = status.tasks.dead;
    amount.textContent = `${number(count)} dead, ${number(status.tasks.blocked)} blocked, ${number(kept.rows.length)}${kept.cursor ? " or more" : ""} others`;
    put(dead, section("Dead tasks", { extra: count ? button(`Redrive all ${number(count)}`, () => redriveAll(count)) : null }, gone.rows.length ? taskTable("Dead tasks", gone.rows) : empty("No task is dead.", "A task dies when its retries are used up."), gone.cursor ? h("p", null, h("a", { href: "/tasks?status=dead" }, "All of them")) : null));
    put(blocked, section("Blocked tasks", stuck.rows.length ? taskTable("Blocked tasks", stuck.rows, true) : empty("No task is blocked.", "A task is blocked when a person has to mend something first."), stuck.cursor ? h("p", null, h("a", { href: "/tasks?status=blocked" }, "All of them")) : null));
    put(others, section("Deliveries, commands and records", kept.rows.length ? table("Deliveries, commands and records", [
      ["Kind", (row) => row.kind], ["Of", (row) => row.of, "wide"], ["Reason", (row) => row.reason, "wide"], ["Tries", (row) => number(row.tries), "num"], ["When", (row) => time(row.at)],
      ["", (row) => h("div", { class: "row end" }, row.kind === "record" ? null : button("Redrive", (event) => settle(event.target, "redrive", row, "Tried again"), { class: "small", "aria-label": `Redrive ${row.kind} of ${row.of}` }),
        button("Drop", async () => {
          if (await sure("Drop it?", "It is kept no longer.", "Drop")) await settle(null, "drop", row, "Dropped");
        }, { class: "small", "aria-label": `Drop ${row.kind} of ${row.of}` })), "act"],
    ], kept.rows) : empty("Nothing else came to nothing.", "Deliveries of triggers, commands and records that could not be used appear here.")));
  }
  await refresh(true);
  repeat(4000, signal, refresh, failed);
}

