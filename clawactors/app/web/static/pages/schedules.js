// Schedules: tasks that are made by a cron line.

import { get, path, post, put, remove } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, time } from "../core/format.js";
import { removal, rowAction, tablePage } from "../core/pages.js";
import { ask, badge, button, code, empty, taskLink } from "../core/widgets.js";

export default async function schedules({ root, signal }) {
  const add = async (refresh) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    const made = await ask({
      title: "New schedule", submit: "Add",
      fields: [
        { name: "name", label: "Name", required: true }, { name: "cron", label: "Cron line", required: true, value: "0 7 * * 1-5", hint: "minute hour day month weekday" },
        { name: "zone", label: "Time zone", value: zone }, { name: "skill", label: "Skill", required: true }, { name: "params", label: "Parameters (JSON)", kind: "json", value: "{}" },
        { name: "catch_up", label: "Times that were missed", options: [["coalesce", "make up for all with one task"], ["fire", "make up for each"], ["skip", "skip"]], value: "coalesce" },
      ],
      send: ({ name, ...body }) => put(path("schedules", name), body),
    });
    if (made) await refresh();
  };
  await tablePage({
    root, signal, title: "Schedules", load: async () => (await get("/schedules", {}, signal)).rows,
    actions: (refresh) => [button("New schedule", () => add(refresh), { class: "primary" })],
    none: () => empty("Nothing is scheduled.", "Add one here, or with ", code("claw schedule add NAME CRON SKILL"), "."),
    columns: (refresh) => [
      ["Name", (row) => row.name], ["State", (row) => badge(row.status)], ["When", (row) => [code(row.cron), h("div", { class: "muted" }, row.zone)]],
      ["Skill", (row) => h("a", { href: `/tasks?skill=${encodeURIComponent(row.skill)}` }, row.skill)], ["Next", (row) => time(row.next_at)],
      ["Last", (row) => (row.last_task ? taskLink(row.last_task, "task") : "–")], ["Fired", (row) => number(row.fired), "num"],
      ["", (row) => h("div", { class: "row end" },
        row.status === "paused" ? rowAction("Resume", row.name, () => post(`${path("schedules", row.name)}/resume`), "Resumed", refresh) : rowAction("Pause", row.name, () => post(`${path("schedules", row.name)}/pause`), "Paused", refresh),
        removal(row.name, "Tasks that it has made stay.", () => remove(path("schedules", row.name)), refresh)), "act"],
    ],
  });
}
