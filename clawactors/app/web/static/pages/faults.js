// Dead letters: what was given up, what waits for a person, what could not be delivered or read.

import { get, path, post } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { number, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { act, button, code, empty, failed, section, sure, table, taskLink } from "../core/widgets.js";

const MOST = 100;

export default async function faults({ root, signal }) {
  const dead = h("div", null);
  const blocked = h("div", null);
  const deliveries = h("div", null);
  const others = h("div", null);
  const amount = h("span", { class: "muted", role: "status" });
  put(root, h("div", { class: "title" }, h("h1", null, "Dead letters"), amount), h("p", { class: "muted" }, "What was given up and is kept. Redrive it when its cause is mended."), dead, blocked, deliveries, others);
  let seen = "";

  const taskTable = (title, rows, again) => table(title, [
    ["Task", (row) => taskLink(row.id, row.name || row.id)], ["Skill", (row) => row.skill], ["Class", (row) => (row.error ? h("a", { href: `/tasks?error=${encodeURIComponent(row.error.class)}` }, row.error.class) : "–")],
    ["Error", (row) => row.error?.message ?? "–", "wide"], ["Attempts", (row) => number(row.attempt), "num"], ["When", (row) => time(row.updated_at)],
    ["", (row) => button(again, async (event) => {
      if (await act(event.target, () => post(`${path("tasks", row.id)}/retry`), "It runs again")) await refresh(true);
    }, { class: "small", "aria-label": `${again} ${row.name || row.id}` }), "act"],
  ], rows);

  async function redriveAll(count) {
    if (!(await sure(`Redrive ${number(count)} dead tasks?`, "Each runs again from its last completed step.", "Redrive", false))) return;
    const done = await act(null, () => post("/tasks/change", { change: "redrive", filter: { status: ["dead"] }, limit: 1000, rate_per_s: 200 }), (summary) => `${number(summary.changed)} of ${number(summary.found)} run again${summary.more ? "; there are more" : ""}.`);
    if (done) await refresh(true);
  }

  async function refresh(now = false) {
    const [gone, stuck, triggers, status] = await Promise.all([
      get("/tasks", { status: "dead", limit: MOST }, signal), get("/tasks", { status: "blocked", limit: MOST }, signal),
      get("/triggers", {}, signal), get("/status", {}, signal),
    ]);
    const undelivered = triggers.rows.flatMap((row) => row.failures.map((each) => ({ ...each, trigger: row.name })));
    const text = JSON.stringify([gone, stuck, undelivered, status.faults]);
    if (text === seen || (!now && root.contains(document.activeElement) && document.activeElement.matches("button"))) return;
    seen = text;
    const count = status.tasks.dead;
    amount.textContent = `${number(count)} dead, ${number(status.tasks.blocked)} blocked, ${number(undelivered.length)} undelivered`;
    put(dead, section("Dead tasks", { extra: count ? button(`Redrive all ${number(count)}`, () => redriveAll(count)) : null }, gone.rows.length ? taskTable("Dead tasks", gone.rows, "Retry") : empty("No task is dead.", "A task dies when its retries are used up."), gone.cursor ? h("p", null, h("a", { href: "/tasks?status=dead" }, "All of them")) : null));
    put(blocked, section("Blocked tasks", stuck.rows.length ? taskTable("Blocked tasks", stuck.rows, "Retry") : empty("No task is blocked.", "A task is blocked when a person has to mend something first."), stuck.cursor ? h("p", null, h("a", { href: "/tasks?status=blocked" }, "All of them")) : null));
    put(deliveries, undelivered.length ? section("Failed deliveries of triggers", table("Failed deliveries", [
      ["Trigger", (row) => h("a", { href: "/triggers" }, row.trigger)], ["Event", (row) => row.event], ["Of", (row) => row.of], ["Reason", (row) => row.reason, "wide"], ["Tries", (row) => number(row.tries), "num"], ["When", (row) => time(row.at)],
      ["", (row) => button("Redrive", async (event) => {
        if (await act(event.target, () => post(`${path("triggers", row.trigger)}/redrive`), "Delivered again")) await refresh(true);
      }, { class: "small", "aria-label": `Redrive deliveries of ${row.trigger}` }), "act"],
    ], undelivered)) : null);
    put(others, section("Faults", empty(status.faults ? `${number(status.faults)} records could not be read or applied.` : "No record was refused.", "The ", h("a", { href: "/doctor" }, "doctor"), " says which; ", code("claw doctor"), " accepts those that are known.")));
  }
  await refresh(true);
  repeat(4000, signal, refresh, failed);
}

