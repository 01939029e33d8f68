// One task: why it is in its state, what happened when, what it said, and its state at any moment.

import { download, get, patch, path, post, remove } from "../core/api.js";
import { h, later, put } from "../core/dom.js";
import { between, bytes, duration, exact, number, time } from "../core/format.js";
import { follow, pause, repeat } from "../core/live.js";
import { outputOf } from "../core/output.js";
import { newTask, PRIORITIES } from "../core/submit.js";
import { waterfall } from "../core/waterfall.js";
import { act, ask, badge, button, copier, empty, facts, failed, field, fold, idOf, json, section, sure, table, taskLink } from "../core/widgets.js";

const ENDED = ["completed", "failed", "cancelled", "dead", "archived"];
const OPEN = ["pending", "waiting", "scheduled", "running", "blocked", "paused"];
const FROM = { params: "parameter", step: "step", result: "result" };
const EVENTS_MOST = 300;

export default async function task({ root, rest, signal, query, set, go, title }) {
  const id = rest[0];
  const where = path("tasks", id);
  const parts = Object.fromEntries(["head", "why", "facts", "fall", "tree", "payload", "files", "time"].map((name) => [name, h("div", { class: "page" })]));
  let row;
  let history = [];

  async function load() {
    const [now, why] = await Promise.all([get(where, {}, signal), get(`${where}/why`, {}, signal)]);
    const moved = !row || row.version !== now.version;
    row = now;
    title(row.name || row.skill || id);
    showWhy(why);
    if (!moved) return;
    showHead();
    showFacts();
    put(parts.payload, payload(row));
    // What grows with the task comes after what does not.
    const [events, tree, files] = await Promise.all([get(`${where}/history`, {}, signal), get(`${where}/tree`, { limit: 200 }, signal).catch(() => null), get(`${where}/files`, {}, signal).catch(() => null)]);
    history = events.rows;
    put(parts.fall, waterfall(row, history));
    put(parts.tree, tree && tree.rows.length > 1 ? section("Children", treeOf(tree)) : null);
    put(parts.files, files?.rows.length ? section("Files", table("Files", [
      ["Name", (each) => h("a", { class: "wrap", href: download(where + path("files", !each.at || each.at.includes("/") ? each.name : each.at)), download: each.name }, each.name), "wide"],
      ["Size", (each) => bytes(each.bytes), "num"], ["From", (each) => `${FROM[each.from] ?? each.from}: ${each.at}`], ["SHA-256", (each) => copier(each.sha256, `Copy the SHA-256 of ${each.name}`)],
    ], files.rows)) : null);
    travel.show();
  }

  function showHead() {
    const can = (names) => names.includes(row.status);
    const step = (verb, text, done, body) => button(text, (event) => change(event.target, () => post(`${where}/${verb}`, body), done));
    put(parts.head, h("div", { class: "title" }, h("h1", null, row.name || row.skill || id), badge(row.status), idOf(id),
      h("div", { class: "row" },
        can(["running", "pending", "waiting", "scheduled", "blocked"]) && step("pause", "Pause", "Paused"),
        can(["paused"]) && step("resume", "Resume", "Resumed"),
        can(["failed", "dead", "cancelled", "blocked"]) && step("retry", "Retry", "It runs again"),
        can(OPEN) && button("Signal", signalIt), can(["running", "waiting"]) && button("Ask", askIt), can(["pending"]) && button("Edit", edit),
        (row.steps ?? []).length ? button("Fork", forkIt) : null,
        can(ENDED) && row.status !== "archived" && button("Delete", erase),
        can(ENDED) && button("Submit again", again),
        can(OPEN) && button("Cancel", cancel, { class: "danger" }))));
  }

  async function change(target, call, done) {
    if ((await act(target, call, done)) !== undefined) await load().catch(failed);
  }
  async function cancel() {
    await ask({
      title: "Cancel this task?", danger: true, submit: "Cancel the task", text: "Running code may clean up first.",
      fields: [{ name: "undo", label: "Undo its completed steps", kind: "check" }, { name: "now", label: "At once, without time to clean up", kind: "check" }],
      send: (body) => post(`${where}/cancel`, body),
    });
    await load();
  }
  async function signalIt() {
    await ask({
      title: "Send a signal", submit: "Send",
      fields: [{ name: "name", label: "Name", required: true }, { name: "payload", label: "Payload (JSON)", kind: "json", value: "null" }],
      send: ({ name, payload }) => post(where + path("signals", name), payload),
    });
    await load();
  }
  async function askIt() {
    const told = await ask({
      title: "Ask the running code", submit: "Ask", text: "Its code answers by a name that it offers; nothing is recorded.",
      fields: [{ name: "name", label: "Name", required: true }, { name: "args", label: "Arguments (JSON list)", kind: "json", value: "[]" }],
      send: async ({ name, args }) => ({ name, answer: await post(where + path("ask", name), { args }) }),
    });
    if (told) await ask({ title: `The answer ${told.name}`, cancel: "", submit: "Close", content: json(told.answer) });
  }
  async function edit() {
    await ask({
      title: "Edit this task", submit: "Save", text: "A task can be edited before its first run.",
      fields: [{ name: "name", label: "Name", value: row.name ?? "" }, { name: "priority", label: "Priority", options: PRIORITIES, value: PRIORITIES[row.priority - 1] ?? "normal" }, { name: "params", label: "Parameters (JSON)", kind: "json", value: JSON.stringify(row.params ?? {}, null, 2), rows: 6 }],
      send: (body) => patch(where, body, { "if-match": `"${row.version}"` }),
    });
    await load();
  }
  async function forkIt(_, from) {
    const made = await ask({
      title: "Fork from a step", submit: "Fork", text: "A new task takes over the results of all steps before this one, and goes on from there.",
      fields: [{ name: "step", label: "Step", options: row.steps.map((each) => each.name), value: from ?? row.steps.at(-1).name }],
      send: (body) => post(`${where}/fork`, body),
    });
    if (made?.id) go(path("tasks", made.id));
  }
  async function erase() {
    if (await sure("Delete this task?", "It leaves the lists; its history stays readable.", "Delete")) if ((await act(null, () => remove(where), "Deleted")) !== undefined) go("/tasks");
  }
  async function again() {
    const made = await newTask(row);
    if (made?.id) go(path("tasks", made.id));
  }

  let said = "";
  function showWhy(why) {
    const now = JSON.stringify([why, row.progress]);
    if (now === said) return;
    said = now;
    const tone = { dead: "bad", failed: "bad", blocked: "warn", paused: "warn" }[row.status] ?? "";
    const asks = why.waiting_for?.name?.startsWith?.("claw:approval:") && why.waiting_for.name.slice("claw:approval:".length);
    put(parts.why, why.reasons.length && row.status !== "completed" ? h("div", { class: `notice ${tone}`, role: "note", "aria-label": "Why" }, why.reasons.map((each) => h("p", null, each)),
      asks ? h("div", { class: "row" }, ...["approve", "deny"].map((verb) => button(verb === "approve" ? "Approve" : "Deny", (event) => change(event.target, () => post(`${where}/${verb}`, { name: asks }), verb === "approve" ? "Approved" : "Denied")))) : null) : null,
    row.status === "running" && row.progress ? h("progress", { max: 100, value: row.progress, "aria-label": `${Math.round(row.progress)} percent done` }) : null);
  }

  function showFacts() {
    put(parts.facts, section("Facts", facts([
      ["Skill", h("a", { href: `/tasks?skill=${encodeURIComponent(row.skill)}` }, row.skill)], ["User", row.user], ["Node", row.node && h("a", { href: path("nodes", row.node) }, row.node)],
      ["Attempt", row.attempt && `${row.attempt} (${row.max_retries} retries)`], ["Run", row.run > 1 ? row.run : ""], ["Priority", PRIORITIES[row.priority - 1] ?? row.priority],
      ["Submitted", time(row.submitted_at)], ["Started", row.started_at && time(row.started_at)], ["Ended", row.completed_at && time(row.completed_at)],
      ["Took", row.started_at && duration(between(row.started_at, row.completed_at ?? (ENDED.includes(row.status) ? row.updated_at : null)))],
      ["Not before", row.not_before && time(row.not_before)], ["Deadline", row.deadline && time(row.deadline)], ["Waits until", row.waiting_until && time(row.waiting_until)],
      ["Timeout", row.timeout_s && duration(row.timeout_s)], ["Parent", row.parent && taskLink(row.parent)], ["After", row.after?.length ? row.after.map((each) => taskLink(each)) : ""],
      ["Fork of", row.fork_of && taskLink(row.fork_of)], ["Forks", row.forks?.length ? row.forks.map((each) => taskLink(each)) : ""],
      ["Tags", row.tags?.length ? row.tags.map((each) => h("a", { class: "tag", href: `/tasks?tag=${encodeURIComponent(each)}` }, each)) : ""],
      ["Requires", row.requires?.join(", ")], ["Prefers", row.prefers?.join(", ")], ["Affinity", Object.entries(row.affinity ?? {}).map(([key, value]) => `${key}=${value}`).join(", ")],
      ["Description", row.description], ["Archived in", row.archived_in], ["Version", number(row.version)],
    ])));
  }

  const output = outputOf(where, signal, () => !ENDED.includes(row?.status));
  const travel = makeTravel();

  function makeTravel() {
    const slider = h("input", { type: "range", min: 0, max: 0, "aria-label": "Moment in the history of the task" });
    const label = h("p", { role: "status" });
    const changed = h("div", null);
    const from = h("input", { type: "number", min: 0, placeholder: "the event before", value: query.from ?? "" });
    const events = h("div", null);
    let places = [];
    let at = -1;
    let newest = true;

    const current = () => places[at];
    const before = () => (from.value === "" ? (places[at - 1] ?? 0) : Number(from.value));
    const look = later(120, async () => {
      const seq = current();
      if (!seq) return;
      const begin = Math.min(before(), seq);
      try {
        const [then, diff] = await Promise.all([get(where, { at: seq }, signal), get(`${where}/diff`, { from: begin, to: seq }, signal)]);
        if (current() !== seq) return;
        const names = Object.keys(diff.changed);
        put(changed,
          h("div", { class: "row" }, h("span", null, "State then: "), badge(then.status), h("span", { class: "muted" }, `version ${then.version}`), (then.steps ?? []).length ? button("Fork from here", (event) => forkIt(event, then.steps.at(-1).name), { class: "small" }) : null),
          names.length ? table(`What changed from ${begin} to ${seq}`, [
            ["Field", (name) => name],
            ["Before", (name) => h("del", { class: "del" }, brief(diff.changed[name].before)), "wide"],
            ["After", (name) => h("ins", { class: "ins" }, brief(diff.changed[name].after)), "wide"],
          ], names) : h("p", { class: "muted" }, "Nothing changed in the fields of the task."),
          fold("The whole state", () => h("div", { class: "payload" }, copier(JSON.stringify(then, null, 2), "Copy the state"), json(then))));
      } catch (error) {
        failed(error);
      }
    });

    function place(next, tell = true) {
      at = Math.max(0, Math.min(places.length - 1, next));
      newest = at === places.length - 1;
      slider.value = at;
      const there = history.filter((each) => each.seq === current());
      const text = there.length ? `Sequence ${current()} (${at + 1} of ${places.length}): ${there.map((each) => each.type).join(", ")}, ${exact(there[0].at)}` : "";
      label.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      for (const line of events.querySelectorAll("tr")) line.toggleAttribute("aria-current", line.dataset.seq === String(current()));
      if (tell) set({ at: newest ? undefined : String(current()), from: from.value || undefined }, { replace: true });
      look();
    }
    slider.addEventListener("input", () => place(Number(slider.value)));
    from.addEventListener("change", () => place(at));
    const step = (by, name, sign) => button(sign, () => place(at + by), { "aria-label": name, title: name, class: "small" });
    const element = section("Time travel", h("div", { class: "slider" }, step(-1, "Event before", "◀"), slider, step(1, "Next event", "▶")), label,
      h("div", { class: "row" }, field({ label: "Compare with sequence" }, from), button("Use this moment", () => ((from.value = current()), place(places.length - 1)), { class: "small" })), changed, events);
    let wanted = query.at ? Number(query.at) : null;

    return {
      element,
      show() {
        const shown = places.length;
        places = [...new Set(history.map((each) => each.seq))];
        slider.max = Math.max(0, places.length - 1);
        put(events, fold(`All ${number(history.length)} events`, () => eventTable(), history.length <= 40));
        if (wanted !== null) {
          const near = places.findLastIndex((seq) => seq <= wanted);
          wanted = null;
          place(near < 0 ? 0 : near, false);
        } else if (newest || !shown) place(places.length - 1, false);
      },
    };

    function eventTable() {
      const some = history.slice(-EVENTS_MOST).reverse();
      return [history.length > some.length ? h("p", { class: "muted" }, `The newest ${EVENTS_MOST} of ${history.length}.`) : null, table("Events", [
        ["Seq", (each) => button(String(each.seq), () => place(places.indexOf(each.seq)), { class: "quiet small mono", "aria-label": `Go to sequence ${each.seq}` })],
        ["Time", (each) => time(each.at)],
        ["Event", (each) => each.type],
        ["By", (each) => each.by ?? ""],
        ["Says", (each) => {
          const { seq, at: when, type, by, to, ...said } = each;
          return Object.keys(said).length ? h("div", { class: "payload" }, json(said, " ")) : "";
        }, "wide"],
      ], some)];
    }
  }

  put(root, parts.head, parts.why, parts.facts, h("div", { class: "grid" }, parts.fall, output.element), parts.tree, parts.payload, parts.files, travel.element);
  await load();
  output.start(query.stream);
  // Loads again when something has happened; the longer that takes, the less often.
  let due = false;
  let loading = false;
  const reload = later(150, async () => {
    due = true;
    if (loading) return;
    loading = true;
    while (due && !signal.aborted) {
      due = false;
      const began = performance.now();
      await load().catch(failed);
      await pause((performance.now() - began) * 4, signal);
    }
    loading = false;
  });
  let live = false;
  follow(`${where}/events`, { from: row.version }, { signal, onEvent: reload, onState: (state) => (live = state === "live") });
  repeat(2000, signal, () => (live || ENDED.includes(row.status) ? null : load()));
  return { update() {} };
}

const brief = (value) => {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${number(text.length)} characters)` : text;
};

function treeOf(tree) {
  return [h("ul", { class: "tree" }, tree.rows.map((each) => {
    const item = h("li", null, badge(each.status), taskLink(each.id, each.name || each.id), h("span", { class: "muted" }, each.skill), each.error ? h("span", { class: "muted" }, each.error) : null);
    item.style.paddingLeft = `${each.level * 22}px`;
    return item;
  })), tree.more ? h("p", { class: "muted" }, "There are more.") : null];
}

function payload(row) {
  const failure = row.error && [json(`${row.error.class}: ${row.error.message}`), row.error.traceback ? fold("Traceback", () => h("pre", { tabindex: "0" }, row.error.traceback)) : null];
  const known = [["Parameters", row.params], ["Result", row.result], ["Metadata", row.metadata]].filter(([, value]) => value !== null && value !== undefined && !(typeof value === "object" && !Object.keys(value).length));
  const stepped = (row.steps ?? []).filter((each) => each.result !== null || each.error);
  return section("Values", h("div", { class: "payload page" },
    failure ? h("div", null, h("h3", null, "Error"), failure) : null,
    known.map(([name, value]) => h("div", null, h("h3", null, name, " ", copier(typeof value === "string" ? value : JSON.stringify(value, null, 2), `Copy ${name}`)), json(value))),
    stepped.length ? fold(`Results of ${stepped.length} steps`, () => stepped.map((each) => json(each.error ?? each.result, each.name))) : null,
    failure || known.length || stepped.length ? null : empty("This task has no values yet.")));
}
