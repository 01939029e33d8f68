// The inbox: what tasks ask people for.

import { get, path, post } from "../core/api.js";
import { h } from "../core/dom.js";
import { time } from "../core/format.js";
import { tablePage } from "../core/pages.js";
import { ask, button, code, empty, taskLink, toast } from "../core/widgets.js";

export default async function approvals({ root, signal }) {
  const answer = (row, verb, refresh) => async () => {
    const given = await ask({
      title: `${verb === "approve" ? "Approve" : "Deny"}?`, text: row.question, submit: verb === "approve" ? "Approve" : "Deny", danger: verb === "deny",
      fields: [{ name: "comment", label: "Comment", hint: "optional; it is on record" }],
      send: ({ comment }) => post(`${path("tasks", row.task)}/${verb}`, { name: row.name, comment }),
    });
    if (given) {
      toast(verb === "approve" ? "Approved" : "Denied");
      await refresh();
    }
  };
  await tablePage({
    root, signal, title: "Approvals", intro: "What tasks ask people for, the oldest task first. The first answer counts.",
    load: async () => (await get("/approvals", {}, signal)).rows,
    none: () => empty("Nobody has to decide anything.", "Tasks ask with ", code("task.approve(question)"), "; their questions appear here."),
    columns: (refresh) => [
      ["Question", (row) => h("div", { class: "wrap" }, row.question), "wide"],
      ["Task", (row) => [taskLink(row.task, row.skill), row.user ? h("div", { class: "muted" }, `for ${row.user}`) : null]],
      ["Asked", (row) => time(row.asked_at)],
      ["Until", (row) => (row.until ? [time(row.until), h("div", { class: "muted" }, `then: ${row.default}`)] : "no limit")],
      ["May answer", (row) => (row.by.length ? row.by.join(", ") : "anybody")],
      ["", (row) => h("div", { class: "row end" }, button("Approve", answer(row, "approve", refresh), { class: "small primary", "aria-label": `Approve: ${row.question.slice(0, 80)}` }), button("Deny", answer(row, "deny", refresh), { class: "small", "aria-label": `Deny: ${row.question.slice(0, 80)}` })), "act"],
    ],
  });
}

