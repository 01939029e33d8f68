// Settings and their history, notifications, alarms, backups and sizes.

import { get, post, put as send, remove, path, words } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { bytes, number, time } from "../core/format.js";
import { removal } from "../core/pages.js";
import { cell, rows as plainRows } from "../core/plain.js";
import { act, ask, badge, button, code, empty, facts, failed, fold, json, section, sure, table, trouble } from "../core/widgets.js";

const WORDS = { dead: "a task is dead", failed: "failed", blocked: "blocked", approval: "asks for an approval", "node-lost": "a node is lost" };

export default async function settings({ root, signal }) {
  const config = h("div", null);
  const notes = h("div", null);
  const alarms = h("div", null);
  const backup = h("div", null);
  const sizes = h("div", null);
  const out = async () => {
    await act(null, () => remove("/session"));
    location.assign("/");
  };
  put(root, h("div", { class: "title" }, h("h1", null, "Settings"), h("div", { class: "row" }, button("Sign out", out))), alarms, config, notes, backup, sizes);

  async function settingRows() {
    const [{ rows }, changes] = await Promise.all([get("/config", {}, signal), get("/config/history", {}, signal)]);
    const change = async (row) => {
      const made = await ask({
        title: row.name, submit: "Set", text: row.meaning,
        fields: [row.choices.length ? { name: "value", label: "Value", options: row.choices, value: row.text } : { name: "value", label: `Value${row.unit ? ` (${row.unit})` : ""}`, value: row.text, hint: `default: ${row.default ?? "none"}` }, { name: "reason", label: "Why", hint: "it is on record" }],
        send: (body) => send(path("config", row.name), body),
      });
      if (made) await settingRows();
    };
    put(config, section("Settings", table("Settings", [
      ["Name", (row) => h("span", { class: "mono" }, row.name)], ["Value", (row) => [row.set ? h("strong", null, row.text) : row.text || "–", row.problem ? h("div", { class: "muted wrap" }, row.problem) : null]], ["Meaning", (row) => row.meaning, "wide"],
      ["Takes effect", (row) => row.takes_effect], ["Set by", (row) => (row.set_at ? [row.by, " ", time(row.set_at)] : "default")],
      ["", (row) => h("div", { class: "row end" }, button("Change", () => change(row), { class: "small", "aria-label": `Change ${row.name}` }), row.set ? button("Default", async (event) => (await act(event.target, () => remove(path("config", row.name)), "Set to its default"), settingRows()), { class: "small", "aria-label": `Default of ${row.name}` }) : null), "act"],
    ], rows), changes.rows.length ? fold(`History: ${number(changes.rows.length)} changes`, () => table("Changes", [
      ["Version", (row) => number(row.version), "num"], ["When", (row) => time(row.at)], ["By", (row) => row.by], ["Why", (row) => row.reason || (row.rolled_back_to ? `back to version ${row.rolled_back_to}` : "–")],
      ["Changes", (row) => Object.entries(row.changes).map(([name, each]) => h("div", null, `${name}: `, h("del", { class: "del" }, String(each.before ?? "default")), " ", h("ins", { class: "ins" }, String(each.after ?? "default")))), "wide"],
      ["", (row) => button("Roll back to before", async () => {
        if (await sure("Roll back?", `All settings go back to what they were before version ${row.version}.`, "Roll back")) await act(null, () => post("/config/rollback", { version: row.version - 1, reason: "rolled back in the dashboard" }), "Rolled back");
        await settingRows();
      }, { class: "small" }), "act"],
    ], [...changes.rows].reverse())) : null));
  }

  async function notifications() {
    const [{ rows }, known] = await Promise.all([get("/notifications", {}, signal), get("/alarms", {}, signal)]);
    const open = known.rows.filter((row) => row.status === "raised");
    put(alarms, open.length ? section("Alarms", plainRows("Alarms", open)) : null);
    const add = async () => {
      const made = await ask({
        title: "New notification", submit: "Add",
        fields: [{ name: "name", label: "Name", required: true }, { name: "when", label: "When", value: "dead, approval", hint: "dead, failed, blocked, approval, completed, cancelled, node-lost, lag, disk" }, { name: "to", label: "Tell", required: true, hint: "https://…, mailto:ops@example.org, desktop or telegram:CHAT" }, { name: "skill", label: "Only of the skill" }, { name: "tag", label: "Only with the tag" }],
        send: ({ name, when, ...body }) => send(path("notifications", name), { ...body, when: words(when) }),
      });
      if (made) await notifications();
    };
    const verb = (row, text, name, done, props) => button(text, async (event) => (await act(event.target, () => post(`${path("notifications", row.name)}/${name}`), done), notifications()), { class: "small", "aria-label": `${text} ${row.name}`, ...props });
    put(notes, section("Notifications", { extra: button("New notification", add) }, rows.length ? table("Notifications", [
      ["Name", (row) => row.name], ["State", (row) => badge(row.status, row.muted_until ? "muted" : row.status)], ["When", (row) => row.when.map((each) => WORDS[each] ?? each).join(", "), "wide"], ["Tells", (row) => h("span", { class: "mono" }, row.to), "wide"],
      ["Sent", (row) => number(row.sent), "num"], ["Failed", (row) => (row.failures.length ? fold(number(row.failed), () => plainRows(`Failures of ${row.name}`, row.failures)) : number(row.failed)), "num"],
      ["", (row) => h("div", { class: "row end" }, verb(row, "Test", "test", "Sent"), row.muted_until ? verb(row, "Unmute", "unmute", "It tells again") : verb(row, "Mute", "mute", "Muted"), row.failures.length ? verb(row, "Redrive", "redrive", "Sent again") : null, removal(row.name, "Nobody is told by this rule any longer.", () => remove(path("notifications", row.name)), notifications)), "act"],
    ], rows) : empty("Nobody is told of anything.", "Add a rule here, or with ", code("claw notify add NAME"), ".")));
  }

  async function upkeep() {
    const [plan, stats] = await Promise.all([get("/backups", {}, signal), get("/stats", { by: "skill", limit: 1 }, signal)]);
    const change = async () => {
      const made = await ask({ title: "Backups by itself", submit: "Save", fields: [{ name: "folder", label: "Folder on the machine of control", required: true, value: plan?.folder ?? "" }, { name: "hours", label: "Every so many hours", kind: "number", value: plan?.every_s ? plan.every_s / 3600 : 24 }, { name: "copies", label: "Copies that are kept", kind: "number", value: plan?.copies ?? 7 }], send: ({ hours, ...body }) => send("/backups", { ...body, every_s: hours * 3600 }) });
      if (made) await upkeep();
    };
    put(backup, section("Backups", { extra: h("div", { class: "row" }, button("Plan", change), plan?.every_s ? button("Stop", async () => (await act(null, () => remove("/backups"), "Stopped"), upkeep())) : null) },
      plan ? facts(Object.entries(plan).map(([name, value]) => [name.replaceAll("_", " "), name.endsWith("_at") && value ? time(value) : name.endsWith("bytes") ? bytes(value) : cell(name, value)])) : empty("No backup was ever made.", code("claw backup DIR"), " makes one; a plan makes them by itself.")));
    const { sizes: sized } = stats;
    put(sizes, section("Upkeep", { extra: h("div", { class: "row" }, button("Archive old tasks", archive), button("Erase a person", erase), button("Compact the views", (event) => act(event.target, () => post("/compact"), (done) => `${bytes(done.before)} before, ${bytes(done.after)} now`).then(upkeep))) },
      sized ? facts([["Log", bytes(sized.log)], ["Views", bytes(sized.views)], ["Large values", bytes(sized.blobs)], ["Memory", bytes(sized.memory)], ["Archived tasks", number(stats.tasks.archived ?? 0)]]) : null));
  }
  async function erase() {
    const done = await ask({ title: "Erase a person", danger: true, submit: "Erase for good", text: "All words of this user go: of tasks, memories and conversations. It can't be undone; the receipt says what is gone.", fields: [{ name: "owner", label: "User", required: true }, { name: "again", label: "The same name again", required: true }, { name: "cancel", label: "Cancel first what of theirs is under way", kind: "check" }, { name: "reason", label: "Why", hint: "it is on record" }], send: ({ again, ...body }) => {
      if (again !== body.owner) throw new Error("the two names differ");
      return post("/erase", body);
    } });
    if (done) await ask({ title: "What was erased", submit: "Close", cancel: "", content: json(done) });
  }
  async function archive() {
    await ask({ title: "Archive tasks that ended long ago", submit: "Archive", text: "Their histories move to files; they stay readable.", fields: [{ name: "days", label: "Ended so many days ago or more", kind: "number", value: 30 }], send: ({ days }) => post("/archive", { older_than_s: days * 86400 }) });
    await upkeep().catch(failed);
  }
  await Promise.all([settingRows().catch((error) => put(config, trouble(error))), notifications().catch((error) => put(notes, trouble(error))), upkeep().catch((error) => put(backup, trouble(error)))]);
}
