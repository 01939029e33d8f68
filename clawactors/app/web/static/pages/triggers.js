// Triggers: what follows when something happens.

import { get, path, post, put, remove, words } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, time } from "../core/format.js";
import { removal, rowAction, tablePage } from "../core/pages.js";
import { ask, badge, button, code, empty, fold, table } from "../core/widgets.js";

const target = (row) => (row.skill ? ["task ", code(row.skill)] : row.webhook ? ["POST ", code(row.webhook)] : row.notify ? ["tells ", code(row.notify.to)] : ["message ", code(row.publish)]);

export default async function triggers({ root, signal }) {
  const add = async (refresh) => {
    const made = await ask({
      title: "New trigger", submit: "Add",
      fields: [
        { name: "name", label: "Name", required: true }, { name: "on", label: "Events", required: true, value: "task.dead", hint: "separated by commas" },
        { name: "where", label: "Condition (CEL)", hint: 'as in task.skill == "charge"' },
        { name: "submit", label: "Submit a task of the skill" }, { name: "params", label: "Its parameters (JSON)", kind: "json", value: "{}" }, { name: "webhook", label: "Or call this address" }, { name: "publish", label: "Or publish on this subject" },
      ],
      send: ({ name, on, params, ...others }) => put(path("triggers", name), { on: words(on), ...(others.submit ? { params } : {}), ...Object.fromEntries(Object.entries(others).filter(([, value]) => value)) }),
    });
    if (made) await refresh();
  };
  await tablePage({
    root, signal, title: "Triggers", load: async () => (await get("/triggers", {}, signal)).rows,
    actions: (refresh) => [button("New trigger", () => add(refresh), { class: "primary" })],
    none: () => empty("Nothing is triggered.", "A trigger submits a task or calls a webhook when something happens: ", code("claw trigger add NAME --on task.dead --submit SKILL"), "."),
    columns: (refresh) => [
      ["Name", (row) => row.name], ["State", (row) => [badge(row.status), row.reason ? h("div", { class: "muted wrap" }, row.reason) : null]],
      ["On", (row) => [row.on.join(", "), row.where ? h("div", { class: "muted" }, code(row.where)) : null], "wide"], ["Does", (row) => target(row), "wide"],
      ["Fired", (row) => number(row.fired), "num"],
      ["Failed", (row) => (row.failures.length ? fold(`${number(row.failed)}`, () => table(`Failed deliveries of ${row.name}`, [["Event", (each) => each.event], ["Of", (each) => each.of], ["Reason", (each) => each.reason], ["At", (each) => time(each.at)]], row.failures)) : number(row.failed)), "num"],
      ["Last", (row) => time(row.last_at)],
      ["", (row) => h("div", { class: "row end" },
        row.status === "active" ? rowAction("Pause", row.name, () => post(`${path("triggers", row.name)}/pause`), "Paused", refresh) : rowAction("Resume", row.name, () => post(`${path("triggers", row.name)}/resume`), "Resumed", refresh),
        row.failures.length ? rowAction("Redrive", row.name, () => post(`${path("triggers", row.name)}/redrive`), "Delivered again", refresh) : null,
        removal(row.name, "Tasks that it has made stay.", () => remove(path("triggers", row.name)), refresh)), "act"],
    ],
  });
}
