// Workflows: a list; one with its diagram, which follows the newest or the chosen instance.

import { get, path, post, remove } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { diagram } from "../core/diagram.js";
import { number, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { tablePage } from "../core/pages.js";
import { ask, badge, button, code, empty, failed, json, section, sure, table, taskLink, toast } from "../core/widgets.js";

export default async function workflows(context) {
  return context.rest[0] ? one(context) : all(context);
}

async function add(go) {
  const made = await ask({
    title: "Add a workflow", submit: "Add", text: "YAML, TOML or JSON. The same name again makes a new version.",
    fields: [{ name: "definition", label: "Definition", kind: "long", rows: 12, required: true, value: "workflow: hello\nparams:\n  name: {type: string, default: Ada}\nsteps:\n  - id: greet\n    skill: echo\n    params: {text: \"Hello, ${params.name}\"}\n" }],
    send: (body) => post("/workflows", body),
  });
  if (made?.name) go(path("workflows", made.name));
}

const all = ({ root, signal, go }) => tablePage({
  root, signal, title: "Workflows", load: async () => (await get("/workflows", {}, signal)).rows,
  actions: () => [button("Add a workflow", () => add(go), { class: "primary" })],
  none: () => empty("There are no workflows.", "Add one here, or with ", code("claw workflow add FILE"), "."),
  columns: () => [
    ["Name", (row) => h("a", { href: path("workflows", row.name) }, row.name)], ["State", (row) => badge(row.status)], ["Version", (row) => number(row.latest), "num"],
    ["Steps", (row) => number(row.definition.steps?.length ?? 0), "num"], ["By", (row) => row.by ?? "–"], ["Updated", (row) => time(row.updated_at)],
  ],
});

async function one({ root, rest, signal, query, set, go, title }) {
  const name = rest[0];
  const where = path("workflows", name);
  title(name);
  const row = await get(where, {}, signal);
  const steps = row.definition.steps ?? [];
  const picture = h("div", { class: "diagram", tabindex: "0", role: "group", "aria-label": `Diagram of ${name}` });
  const instances = h("div", null);
  const state = h("span", { class: "muted", role: "status" });
  let drawn = "";
  let chosen = query.task ?? "";

  const run = async () => {
    const params = Object.fromEntries(Object.entries(row.definition.params ?? {}).map(([key, each]) => [key, each?.default ?? (each && typeof each !== "object" ? each : null)]));
    const made = await ask({
      title: `Run ${name}`, submit: "Run", fields: [{ name: "params", label: "Parameters (JSON)", kind: "json", value: JSON.stringify(params, null, 2), rows: 6 }],
      send: (body) => post(`${where}/run`, body),
    });
    if (made?.id) toast("It runs."), set({ task: made.id });
  };
  put(root,
    h("div", { class: "title" }, h("h1", null, name), badge(row.status, `version ${row.latest}`), h("div", { class: "row" }, button("Run", run, { class: "primary" }), button("Remove", async () => {
      if (await sure(`Remove ${name}?`, "Instances go on; its versions stay readable.", "Remove")) await remove(where).then(() => go("/workflows"), failed);
    }))),
    row.definition.description ? h("p", { class: "muted wrap" }, row.definition.description) : null,
    section("Diagram", { extra: state }, picture),
    section("Instances", instances),
    section("Steps", table("Steps", [["Step", (each) => each.id], ["Does", (each) => ["skill", "workflow", "approve", "signal", "sleep", "until", "value"].filter((key) => key in each).map((key) => `${key}: ${typeof each[key] === "string" ? each[key] : JSON.stringify(each[key])}`).join(", "), "wide"], ["After", (each) => [each.after ?? []].flat().join(", ") || "–"]], steps)),
    section("Definition", h("div", { class: "payload" }, json(row.definition))));

  async function refresh() {
    const found = await get("/tasks", { skill: "workflow", limit: 200 }, signal);
    const rows = found.rows.filter((each) => each.params?.workflow === name).slice(0, 30);
    const shown = chosen || rows[0]?.id || "";
    const answer = await get(`${where}/diagram`, { format: "svg", task: shown }, signal);
    if (answer.diagram !== drawn) {
      drawn = answer.diagram;
      put(picture, diagram(drawn, `Steps of ${name}: ${steps.map((each) => each.id).join(", ")}`));
    }
    const status = rows.find((each) => each.id === shown)?.status;
    put(state, shown ? ["coloured by ", taskLink(shown, "an instance"), status ? ` (${status})` : ""] : "no instance yet");
    if (instances.contains(document.activeElement)) return;
    put(instances, rows.length ? table("Instances", [
      ["Task", (each) => taskLink(each.id, each.name || each.id)], ["Status", (each) => badge(each.status)], ["User", (each) => each.user || "–"], ["Progress", (each) => `${Math.round(each.progress)} %`, "num"], ["Submitted", (each) => time(each.submitted_at)],
      ["", (each) => button("Show in the diagram", () => set({ task: each.id }), { class: "small", "aria-pressed": String(each.id === shown), "aria-label": `Show ${each.name || each.id} in the diagram` }), "act"],
    ], rows) : empty("It has not run yet.", "Run it with the button above, or by a schedule."));
  }
  await refresh();
  repeat(2000, signal, refresh, failed);
  return {
    update(next) {
      chosen = next.task ?? "";
      return refresh().catch(failed);
    },
  };
}
