// Nodes: slots, load, and what keeps work away from them; a node; the skills that they offer.

import { get, patch, path, post } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { duration, number, percent, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { removal, rowAction, tablePage } from "../core/pages.js";
import { ask, badge, button, code, empty, facts, failed, idOf, section, slots, table, taskLink } from "../core/widgets.js";

function actions(row, refresh) {
  const where = path("nodes", row.id);
  return h("div", { class: "row end" },
    ["online", "busy"].includes(row.status) && [rowAction("Drain", row.id, () => post(`${where}/drain`), `${row.id} finishes its tasks and takes no new ones`, refresh), rowAction("Cordon", row.id, () => post(`${where}/cordon`), `${row.id} takes no new tasks`, refresh)],
    ["cordoned", "draining"].includes(row.status) && rowAction("Uncordon", row.id, () => post(`${where}/uncordon`), `${row.id} takes tasks again`, refresh),
    row.status !== "offline" && button("Slots", async () => {
      const done = await ask({ title: `Slots of ${row.id}`, submit: "Set", fields: [{ name: "slots", label: "Tasks that run at once", kind: "number", value: row.slots, required: true }], send: (body) => patch(where, body) });
      if (done) await refresh();
    }, { class: "small", "aria-label": `Slots of ${row.id}` }),
    row.status === "offline" && removal(row.id, "A node that is gone for good leaves the lists.", () => post(`${where}/remove`), refresh));
}

export default async function nodes(context) {
  return context.rest[0] ? one(context) : all(context);
}

async function all({ root, signal }) {
  const skills = h("div", null);
  await tablePage({
    root, signal, title: "Nodes", after: skills, load: async () => (await get("/nodes", {}, signal)).rows,
    none: () => empty("No node has joined.", "Start one on any machine: ", code("claw join --skills FILE"), "."),
    columns: (refresh) => [
      ["Node", (row) => [h("a", { href: path("nodes", row.id) }, row.id), h("div", { class: "muted" }, row.hostname)]],
      ["State", (row) => [badge(row.status), row.reason ? h("div", { class: "muted wrap" }, row.reason) : null]],
      ["Slots", slots],
      ["CPU", (row) => percent(row.cpu), "num"], ["Memory", (row) => percent(row.memory), "num"], ["Disk", (row) => percent(row.disk), "num"],
      ["Done", (row) => number(row.processed), "num"], ["Failed", (row) => number(row.failed), "num"], ["Mean", (row) => duration(row.mean_s), "num"],
      ["Heard", (row) => time(row.last_heartbeat_at)], ["", (row) => actions(row, refresh), "act"],
    ],
  });
  const { rows } = await get("/skills", {}, signal);
  put(skills, section("Skills", rows.length ? table("Skills", [
    ["Skill", (row) => h("a", { href: `/tasks?skill=${encodeURIComponent(row.name)}` }, row.name)], ["What it does", (row) => row.description, "wide"],
    ["Nodes", (row) => row.nodes.join(", ") || "–"], ["Tasks", (row) => number(row.submitted), "num"], ["Failed", (row) => number(row.failed), "num"], ["Mean", (row) => (row.succeeded + row.failed ? duration(row.mean_s) : "–"), "num"],
  ], rows) : empty("No node offers a skill.")));
}

async function one({ root, rest, signal, title }) {
  const id = rest[0];
  title(id);
  let seen = "";
  const head = h("div", null);
  const running = h("div", null);
  put(root, head, running);
  const refresh = async () => {
    const [row, tasks] = await Promise.all([get(path("nodes", id), {}, signal), get("/tasks", { node: id, limit: 50 }, signal)]);
    const now = JSON.stringify([row, tasks]);
    if (now === seen || head.contains(document.activeElement) && document.activeElement.matches("button")) return;
    seen = now;
    put(head, h("div", { class: "title" }, h("h1", null, `Node ${id}`), badge(row.status), actions(row, refresh)), row.reason ? h("p", { class: "notice warn" }, row.reason) : null, h("div", { class: "page" }, section("Facts", facts([
      ["Host", row.hostname], ["Platform", `${row.platform} ${row.arch}`], ["Address", row.overlay_ip || row.ip], ["Process", row.pid], ["Slots", `${row.running} of ${row.slots} in use`],
      ["CPU", percent(row.cpu)], ["Memory", percent(row.memory)], ["Disk", percent(row.disk)], ["Processed", number(row.processed)], ["Failed", number(row.failed)], ["Mean", duration(row.mean_s)],
      ["Registered", time(row.registered_at)], ["Heard", time(row.last_heartbeat_at)], ["Affinity", Object.entries(row.affinity).map(([key, value]) => `${key}=${value}`).join(", ")],
      ["Incarnation", idOf(row.incarnation)], ["Skills", row.skills.map((each) => h("a", { class: "tag", href: `/tasks?skill=${encodeURIComponent(each)}` }, each))],
    ]))));
    put(running, section("Tasks of this node", tasks.rows.length ? table("Tasks", [["Task", (each) => taskLink(each.id, each.name || each.id)], ["Status", (each) => badge(each.status)], ["Skill", (each) => each.skill], ["Updated", (each) => time(each.updated_at)]], tasks.rows) : empty("No task has run here yet.")));
  };
  await refresh();
  repeat(3000, signal, refresh, failed);
}
