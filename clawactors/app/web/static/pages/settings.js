// Settings, keys, notifications, backups and sizes: what the cluster is told, in plain tables.

import { get, post, put as send, remove, path } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { bytes, number, time } from "../core/format.js";
import { cell, rows as plainRows } from "../core/plain.js";
import { act, ask, button, code, empty, facts, failed, section, sure, trouble } from "../core/widgets.js";

const PARTS = [
  // path, title, what to do where there is none
  ["/config", "Settings", "Set one with ", "claw config set NAME VALUE"],
  ["/keys", "Keys", "Add one with ", "claw key add NAME --scope read"],
  ["/notifications", "Notifications", "Add a rule with ", "claw notify add NAME"],
];

export default async function settings({ root, signal }) {
  const places = Object.fromEntries(PARTS.map(([where]) => [where, h("div", null)]));
  const backup = h("div", null);
  const sizes = h("div", null);
  const out = async () => {
    await act(null, () => remove("/session"));
    location.assign("/");
  };
  put(root, h("div", { class: "title" }, h("h1", null, "Settings"), h("div", { class: "row" }, button("Sign out", out))), Object.values(places), backup, sizes);

  const absent = (error) => (error.status === 404 ? null : Promise.reject(error));
  async function part([where, title, hint, command]) {
    try {
      const answer = await get(where, {}, signal).catch(absent);
      if (answer === null) return;
      const all = answer.rows ?? (Array.isArray(answer) ? answer : Object.entries(answer).map(([name, value]) => ({ name, value })));
      put(places[where], section(title, all.length ? plainRows(title, all, where === "/keys" ? [["", (row) => button("Revoke", () => revoke(row), { class: "small", "aria-label": `Revoke ${row.name ?? row.id}` }), "act"]] : []) : empty(`No ${title.toLowerCase()} yet.`, hint, code(command), ".")));
    } catch (error) {
      if (!signal.aborted) put(places[where], section(title, trouble(error)));
    }
  }
  async function revoke(row) {
    if (await sure(`Revoke ${row.name ?? row.id}?`, "Who uses it is turned away at once.", "Revoke")) await act(null, () => remove(path("keys", row.name ?? row.id)), "Revoked");
    await part(PARTS[1]);
  }

  async function upkeep() {
    const [plan, stats] = await Promise.all([get("/backups", {}, signal).catch(absent), get("/stats", { by: "skill", limit: 1 }, signal)]);
    const change = async () => {
      const made = await ask({ title: "Backups by itself", submit: "Save", fields: [{ name: "folder", label: "Folder on the machine of control", required: true, value: plan?.folder ?? "" }, { name: "hours", label: "Every so many hours", kind: "number", value: plan?.every_s ? plan.every_s / 3600 : 24 }, { name: "copies", label: "Copies that are kept", kind: "number", value: plan?.copies ?? 7 }], send: ({ hours, ...body }) => send("/backups", { ...body, every_s: hours * 3600 }) });
      if (made) await upkeep();
    };
    put(backup, section("Backups", { extra: h("div", { class: "row" }, button("Plan", change), plan?.every_s ? button("Stop", async () => (await act(null, () => remove("/backups"), "Stopped"), upkeep())) : null) },
      plan ? facts(Object.entries(plan).map(([name, value]) => [name.replaceAll("_", " "), name.endsWith("_at") && value ? time(value) : name.endsWith("bytes") ? bytes(value) : cell(name, value)])) : empty("No backup was ever made.", code("claw backup FILE"), " makes one; a plan makes them by itself.")));
    const { sizes: sized } = stats;
    put(sizes, section("Upkeep", { extra: h("div", { class: "row" }, button("Archive old tasks", archive), button("Compact the views", (event) => act(event.target, () => post("/compact"), (done) => `${bytes(done.before)} before, ${bytes(done.after)} now`).then(upkeep))) },
      sized ? facts([["Log", bytes(sized.log)], ["Views", bytes(sized.views)], ["Large values", bytes(sized.blobs)], ["Memory", bytes(sized.memory)], ["Archived tasks", number(stats.tasks.archived ?? 0)]]) : null));
  }
  async function archive() {
    await ask({ title: "Archive tasks that ended long ago", submit: "Archive", text: "Their histories move to files; they stay readable.", fields: [{ name: "days", label: "Ended so many days ago or more", kind: "number", value: 30 }], send: ({ days }) => post("/archive", { older_than_s: days * 86400 }) });
    await upkeep().catch(failed);
  }
  await Promise.all([...PARTS.map(part), upkeep().catch((error) => put(backup, trouble(error)))]);
}
