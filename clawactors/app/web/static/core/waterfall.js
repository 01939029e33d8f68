// When a task and its steps ran.

import { h } from "./dom.js";
import { duration, exact } from "./format.js";
import { empty, section } from "./widgets.js";

/** Attempts, and the steps in them, on one axis of time. */
export function waterfall(row, history) {
  const attempts = [];
  for (const event of history) {
    if (event.type === "task.scheduled") attempts.push({ name: `attempt ${event.attempt ?? attempts.length + 1}`, node: event.node, from: event.at, to: null, status: "running", attempt: event.attempt ?? attempts.length + 1 });
    const last = attempts.at(-1);
    if (!last || last.to) continue;
    const end = { "task.completed": "completed", "task.attempt_failed": "failed", "task.failed": "failed", "task.dead": "dead", "task.cancelled": "cancelled", "task.interrupted": "interrupted", "task.blocked": "blocked" }[event.type];
    if (end) Object.assign(last, { to: event.at, status: end });
  }
  const bars = attempts.flatMap((each) => [each, ...(row.steps ?? []).filter((step) => step.attempt === each.attempt).map((step) => ({ name: step.name, from: step.started_at ?? step.completed_at, to: step.completed_at, status: step.status, step: true }))]).filter((each) => each.from);
  if (!bars.length) return section("Waterfall", empty("It has not run yet."));
  const begin = Math.min(...bars.map((each) => Date.parse(each.from)));
  const end = Math.max(...bars.map((each) => (each.to ? Date.parse(each.to) : Date.now())), begin + 1);
  const tone = (status) => ({ completed: "good", failed: "bad", dead: "bad", undo_failed: "bad", interrupted: "warn", blocked: "warn", compensated: "warn" })[status] ?? "";
  return section("Waterfall", h("div", { class: "fall", role: "list", "aria-label": "Attempts and steps" }, bars.slice(0, 200).map((each) => {
    const from = Date.parse(each.from);
    const to = each.to ? Date.parse(each.to) : Date.now();
    const took = duration((to - from) / 1000);
    return h("div", { role: "listitem", class: `${each.step ? "step" : "strong"} ${tone(each.status)}`, title: `${each.name}: ${each.status}, ${exact(each.from)}, ${took}` },
      h("span", { class: "name" }, each.name, each.node ? h("span", { class: "muted" }, ` ${each.node}`) : null, h("span", { class: "unseen" }, `, ${each.status}`)),
      h("span", { class: "bar-space", "aria-hidden": "true" }, h("span", { style: { left: `${((from - begin) / (end - begin)) * 100}%`, width: `${(Math.max(to - from, 0) / (end - begin)) * 100}%` } })),
      h("span", { class: "num muted" }, took));
  })), bars.length > 200 ? h("p", { class: "muted" }, `The first 200 of ${bars.length}.`) : null);
}
