// Tasks: filters, full text, and changes of many.

import { get, path, post } from "../core/api.js";
import { h, put, say } from "../core/dom.js";
import { between, duration, number, time } from "../core/format.js";
import { list } from "../core/list.js";
import { repeat } from "../core/live.js";
import { manyTasks, newTask } from "../core/submit.js";
import { badge, button, code, empty, failed, filters, sure, toast, trouble } from "../core/widgets.js";

const STATUSES = ["pending", "waiting", "scheduled", "running", "paused", "blocked", "completed", "failed", "cancelled", "dead"];
const NAMES = ["status", "text", "skill", "user", "node", "tag", "error", "parent", "since", "until", "interrupted", "silent"];
const CHANGES = [["cancel", "Cancel"], ["pause", "Pause"], ["resume", "Resume"], ["retry", "Retry"], ["redrive", "Redrive"], ["delete", "Delete"]];
const TOGETHER = 200;
const COUNTED = 10_000; // where each has to be looked at, no more are counted
const ALL = Symbol("all that match");

const amountOf = (count) => (count === COUNTED ? `${number(count)} or more` : number(count));

export default async function tasks({ root, signal, query, set, go }) {
  let wanted = query;
  const selected = new Set();
  let total = null;
  const amount = h("span", { class: "muted", role: "status" });
  const bulk = h("div", { class: "bulk row", hidden: true, role: "region", "aria-label": "Changes of the selected tasks" });

  const filter = () => Object.fromEntries(NAMES.filter((name) => wanted[name]).map((name) => [name, name === "interrupted" ? "true" : wanted[name]]));
  const rows = list({
    label: "Tasks",
    key: (row) => row.id,
    href: true,
    selected,
    load: (cursor) => get("/tasks", { ...filter(), limit: TOGETHER, cursor }, signal),
    empty: () => (Object.keys(filter()).length ? empty("No task matches these filters.", button("Clear the filters", () => go("/tasks"))) : empty("There are no tasks yet.", "Make one here, or with ", code("claw submit echo '{\"text\": \"hello\"}'"), ".")),
    onError: (error) => trouble(error, () => rows.restart()),
    onSelect: toggle,
    columns: [
      ["", (row) => tick(row), "tick"],
      ["Status", (row) => badge(row.status), "status"],
      ["Task", (row) => h("a", { href: path("tasks", row.id), title: row.id }, row.name || row.id), "name"],
      ["Skill", (row) => row.skill, "skill"],
      ["User", (row) => row.user || "–", "user"],
      ["Took", (row) => (row.started_at ? duration(between(row.started_at, row.completed_at ?? (row.status === "running" ? null : row.updated_at))) : "–"), "took"],
      ["Submitted", (row) => time(row.submitted_at), "when"],
      ["Note", (row) => note(row), "note"],
    ],
  });

  function note(row) {
    if (row.blocked_reason) return h("span", { title: row.blocked_reason }, row.blocked_reason);
    if (row.waiting_for && !(row.error && row.waiting_for === "retry")) return `waits for ${row.waiting_for}`;
    if (row.error && !["completed", "cancelled"].includes(row.status)) return h("span", { title: row.error.message }, `${row.error.class}: ${row.error.message}`);
    if (row.status === "running" && row.progress) return `${Math.round(row.progress)} % on ${row.node ?? "a node"}`;
    if (row.status === "running" || row.status === "scheduled") return row.node ? `on ${row.node}` : "";
    return (row.tags ?? []).slice(0, 3).join(", ");
  }

  function tick(row) {
    const box = h("input", { type: "checkbox", "aria-label": `Select ${row.name || row.id}`, checked: selected.has(row.id) });
    box.addEventListener("change", () => toggle(row));
    box.addEventListener("click", (event) => event.stopPropagation());
    return box;
  }

  function toggle(row) {
    if (selected.has(ALL)) selected.clear();
    if (!selected.delete(row.id)) selected.add(row.id);
    for (const element of rows.element.querySelectorAll(".vbody .vrow")) element.classList.toggle("chosen", selected.has(element.dataset.key));
    showBulk();
  }

  function showBulk() {
    bulk.hidden = !selected.size;
    const all = selected.has(ALL);
    const count = all ? total : selected.size;
    put(bulk, h("strong", null, all ? `All ${count === null ? "" : amountOf(count)} that match` : `${number(count)} selected`),
      CHANGES.map(([change, title]) => button(title, () => changeMany(change, title), { class: "small" })),
      !all && total !== null && total > selected.size && Object.keys(filter()).length ? button(`Select all ${amountOf(total)} that match`, () => (selected.clear(), selected.add(ALL), showBulk()), { class: "quiet" }) : null,
      button("Clear", () => (selected.clear(), rows.redraw(), showBulk()), { class: "quiet" }));
    if (selected.size) say(bulk.firstChild.textContent);
  }

  async function changeMany(change, title) {
    const all = selected.has(ALL);
    const ids = all ? [] : [...selected];
    const count = all ? total : ids.length;
    if (!(await sure(`${title} ${all ? amountOf(count) : number(count)} ${count === 1 ? "task" : "tasks"}?`, change === "delete" ? "Deleted tasks leave the lists; their histories stay readable." : "Tasks whose state does not allow it are left as they are.", title, ["cancel", "delete"].includes(change)))) return;
    let stop = false;
    let done = 0;
    let changed = 0;
    const refused = [];
    const bar = h("progress", { max: Math.max(count, 1), value: 0, "aria-label": `${title} progress` });
    const words = h("span", { role: "status" });
    put(bulk, h("strong", null, `${title}…`), bar, words, button("Stop", () => (stop = true)));
    bulk.hidden = false;
    try {
      while (!stop && !signal.aborted) {
        const some = ids.splice(0, TOGETHER);
        if (!all && !some.length) break;
        const scope = all ? { filter: { ...filter(), status: [filter().status ?? []].flat(), interrupted: Boolean(filter().interrupted) } } : { ids: some };
        const summary = await post("/tasks/change", { change, ...scope, limit: TOGETHER });
        done += summary.found;
        changed += summary.changed;
        refused.push(...summary.rows.filter((each) => each.refusal));
        bar.value = done;
        words.textContent = `${number(done)} of ${all ? amountOf(count) : number(count)}`;
        if (all && (!summary.changed || !summary.more)) break;
      }
      const reasons = [...new Set(refused.map((each) => each.refusal))].slice(0, 2).join("; ");
      toast(`${title}: ${number(changed)} changed${refused.length ? `, ${number(refused.length)} left as they were` : ""}.`, refused.length ? "warn" : "good", reasons);
    } catch (error) {
      failed(error);
    }
    selected.clear();
    showBulk();
    await Promise.all([rows.refresh().catch(failed), countAll()]);
    rows.redraw();
  }

  async function fromFile() {
    const made = await manyTasks();
    if (!made) return;
    const { refused } = made;
    toast(`${number(made.submitted)} submitted${made.existing ? `, ${number(made.existing)} were there` : ""}${refused.length ? `, ${number(refused.length)} refused` : ""}.`, refused.length ? "warn" : "good", refused.slice(0, 3).map((each) => `line ${each.line}: ${each.message}`).join("; "));
    await Promise.all([rows.restart(), countAll()]);
  }

  async function countAll() {
    const asked = filter();
    try {
      total = (await get("/count", { ...asked, most: COUNTED }, signal)).count;
      amount.textContent = `${amountOf(total)} ${total === 1 ? "task" : "tasks"}`;
      rows.count(total);
    } catch {
      amount.textContent = "";
    }
  }

  const form = h("div", null);
  const showForm = () => put(form, filters([
    { name: "text", label: "Search", kind: "search", placeholder: "words of name or error" },
    { name: "status", label: "Status", options: [["", "any"], ...STATUSES, ...(Array.isArray(wanted.status) ? [[wanted.status.join(","), wanted.status.join(" or ")]] : [])] },
    { name: "skill", label: "Skill" }, { name: "user", label: "User" }, { name: "node", label: "Node" },
    { name: "tag", label: "Tag" }, { name: "error", label: "Error class" },
    { name: "interrupted", label: "Interrupted", kind: "check" },
  ], { ...wanted, status: Array.isArray(wanted.status) ? wanted.status.join(",") : wanted.status }, (changes) => set(changes, { replace: true })));
  showForm();
  put(root, h("div", { class: "title" }, h("h1", null, "Tasks"), amount, h("div", { class: "row" }, button("From a file", fromFile), button("New task", async () => {
    const made = await newTask();
    if (made) go(path("tasks", made.id));
  }, { class: "primary" }))), form, rows.element, bulk);
  await Promise.all([rows.restart(), countAll()]);
  repeat(3000, signal, () => (selected.size ? null : Promise.all([rows.refresh(), countAll()])));
  return {
    update(next) {
      const back = JSON.stringify(next) !== JSON.stringify(wanted);
      wanted = next;
      if (!back) return;
      if (!form.contains(document.activeElement)) showForm();
      selected.clear();
      showBulk();
      return Promise.all([rows.restart(), countAll()]);
    },
  };
}
