// The cluster at a glance: one question a second or two, whatever the number of its tasks.

import { get, path } from "../core/api.js";
import { h, morph, put } from "../core/dom.js";
import { bytes, duration, number, percent, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { plot } from "../core/plot.js";
import { badge, empty, facts, section, slots, table, trouble } from "../core/widgets.js";

const EVERY_MS = 2000;
const SECONDS = 120;
const KEPT = 150; // samples of what the server keeps no series of

const tile = (value, name, { tone = "", href } = {}) => h(href ? "a" : "div", { class: `tile ${tone}`, href }, h("b", null, value), h("span", null, name));

export default async function overview({ root, signal }) {
  const tiles = h("div", { class: "tiles" });
  const notices = h("div", null);
  const rates = plot("Tasks a second", [["submitted", "a"], ["completed", "b"], ["failed attempts", "c"]], number);
  const times = plot("Latency (p95)", [["run", "a"], ["wait for a node", "d"]], (s) => (s === 0 ? "0" : duration(s)));
  const queue = plot("Queue", [["pending", "a"], ["given to nodes", "b"]], number);
  const lag = plot("Commits", [["a second", "e"], ["view lag", "d"]], number);
  const nodes = h("div", null);
  const errors = h("div", null);
  const disk = h("div", null);
  put(root, h("div", { class: "title" }, h("h1", null, "Overview")), notices, tiles,
    h("div", { class: "grid plots" }, rates.element, times.element, queue.element, lag.element),
    h("div", { class: "grid plots" }, section("Nodes", nodes), h("div", { class: "page" }, section("Disk", disk), section("Errors in the last minute", errors))));
  const samples = [];

  async function update() {
    const [now, machines] = await Promise.all([get("/overview", { window_s: 60, series_s: SECONDS }, signal), get("/nodes", {}, signal)]);
    const { tasks } = now;
    const open = tasks.pending + tasks.waiting + tasks.scheduled + tasks.running + tasks.paused;
    put(notices,
      now.trouble ? trouble({ message: `Nothing can be recorded: ${now.trouble}`, hint: "The doctor says more." }) : null,
      now.leader ? null : trouble({ message: "No control process leads: nothing is placed.", hint: "claw up starts one." }));
    morph(tiles,
      tile(number(tasks.running), "running", { href: "/tasks?status=running" }),
      tile(number(tasks.pending), "pending", { href: "/tasks?status=pending" }),
      tile(number(tasks.waiting), "waiting", { href: "/tasks?status=waiting" }),
      tile(number(tasks.completed), "completed", { href: "/tasks?status=completed" }),
      tile(number(tasks.blocked), "blocked", { href: "/tasks?status=blocked", tone: tasks.blocked ? "warn" : "" }),
      tile(number(tasks.dead + tasks.failed), "dead or failed", { href: "/tasks?status=dead&status=failed", tone: tasks.dead + tasks.failed ? "bad" : "" }),
      tile(`${number(now.rates.completed)}/s`, "completed, last minute"),
      tile(duration(now.took?.p95_s), "run, p95"),
      tile(duration(now.wait?.p95_s), "wait, p95"),
      tile(duration(now.queue.longest_s), "longest in the queue", { tone: now.queue.longest_s > 60 ? "warn" : "" }));
    samples.push({ at: Date.parse(now.at), run: now.took?.p95_s, wait: now.wait?.p95_s, pending: now.queue.pending, given: now.queue.given, lag: now.projection?.lag });
    if (samples.length > KEPT) samples.shift();
    const series = now.series;
    if (series) {
      const until = Date.parse(series.until);
      const at = series.submitted.map((_, place) => until - (series.submitted.length - 1 - place) * 1000);
      rates.show(at, [series.submitted, series.completed, series.failed]);
      const lags = at.map((ms) => samples.findLast((each) => each.at <= ms + 1000)?.lag);
      lag.show(at, [series.commits, lags]);
    }
    const at = samples.map((each) => each.at);
    times.show(at, [samples.map((each) => each.run), samples.map((each) => each.wait)]);
    queue.show(at, [samples.map((each) => each.pending), samples.map((each) => each.given)]);
    morph(nodes, machines.rows.length ? table("Nodes", [
      ["Node", (each) => h("a", { href: path("nodes", each.id) }, each.id)],
      ["State", (each) => badge(each.status)],
      ["Slots", slots, "nowrap"],
      ["CPU", (each) => percent(each.cpu), "num"],
      ["Memory", (each) => percent(each.memory), "num"],
    ], machines.rows.slice(0, 20)) : empty("No node has joined.", "Start one: ", h("code", null, "claw join"), " on any machine."));
    const known = Object.entries(now.errors);
    morph(errors, known.length ? table("Errors by class", [
      ["Class", ([kind]) => h("a", { href: `/tasks?error=${encodeURIComponent(kind)}` }, kind)],
      ["Failed attempts", ([, count]) => number(count), "num"],
    ], known.slice(0, 12)) : empty("No attempt has failed."));
    morph(disk, facts([
      ["Log", bytes(now.sizes.log)], ["Views", bytes(now.sizes.views)], ["Large values", bytes(now.sizes.blobs)],
      ["Memory", now.sizes.memory === null ? "–" : bytes(now.sizes.memory)],
      ["Fullest disk", now.fullest_disk ? `${Math.round(now.fullest_disk.percent)} % on ${now.fullest_disk.node}` : ""],
      ["Open tasks", number(open)], ["Events", number(now.log.last_seq)], ["Leader", now.leader],
      ["Last backup", now.backup?.last_at ? time(now.backup.last_at) : "none"], ["Faults", now.faults ? h("a", { href: "/faults" }, number(now.faults)) : "none"],
    ]));
  }
  await update();
  repeat(EVERY_MS, signal, update, (error) => put(notices, trouble(error)));
}
