// Who may ask: keys of programs, and people in chats.

import { get, path, put as send, query, remove, words } from "../core/api.js";
import { busy, h, put } from "../core/dom.js";
import { now, number, time } from "../core/format.js";
import { repeat } from "../core/live.js";
import { tablePage } from "../core/pages.js";
import { ask, badge, button, code, copier, empty, failed, section, sure, table, trouble } from "../core/widgets.js";

const SCOPES = { read: "look at everything but memories", tasks: "submit and change tasks, answer approvals", memory: "read and change memories", admin: "all of it, and nodes, schedules, settings, keys" };
const DAY_MS = 86_400_000;

const over = (row) => row.expires_at && Date.parse(row.expires_at) <= now();
const state = (row) => (row.status === "active" && over(row) ? badge("warning", "expired") : badge(row.status));
const bound = (n, of) => (n ? `${number(n)} / ${of}` : "–");
const mono = (text) => h("span", { class: "mono" }, text);

async function addKey(refresh) {
  const made = await ask({
    title: "New key", submit: "Add",
    fields: [
      { name: "name", label: "Name", required: true, hint: "letters, digits, - and _" },
      ...Object.entries(SCOPES).map(([name, what]) => ({ name, label: `${name}: ${what}`, kind: "check", value: name === "read" })),
      { name: "user", label: "Acts for the user", hint: "empty: for nobody in particular" },
      { name: "days", label: "Expires", options: [["7", "in 7 days"], ["30", "in 30 days"], ["90", "in 90 days"], ["365", "in a year"], ["", "never"]], value: "90" },
      { name: "rate", label: "Requests a second, at most", kind: "number", hint: "empty: no bound" },
      { name: "quota", label: "Requests a day, at most", kind: "number", hint: "empty: no bound" },
    ],
    send: ({ name, user, days, rate, quota, ...may }) => send(path("keys", name), {
      user, scopes: Object.keys(SCOPES).filter((each) => may[each]), expires: days && new Date(now() + Number(days) * DAY_MS).toISOString(),
      rate_per_s: rate ?? 0, quota_per_day: quota ?? 0,
    }),
  });
  if (!made) return;
  await Promise.all([refresh().catch(failed), ask({
    title: `The secret of ${made.key.name}`, submit: "I have kept it", cancel: "",
    text: ["It is shown this once. Send it as ", code("Authorization: Bearer …"), ".", h("span", { class: "secret" }, h("code", { class: "wrap" }, made.secret), copier(made.secret, "Copy the secret"))],
  })]);
}

async function revoke(row, refresh) {
  const done = await ask({ title: `Revoke ${row.name}?`, text: "It opens nothing any more, at once and for good. The log keeps who added and revoked it.", submit: "Revoke", danger: true, send: () => remove(path("keys", row.name)) });
  if (done) await refresh();
}

/** Lets somebody talk by a bridge, or changes what they may. */
async function allow(given, refresh) {
  const made = await ask({
    title: "Who may talk from a chat", submit: "Allow",
    fields: [
      { name: "bridge", label: "Bridge", required: true, value: given.bridge ?? "telegram" }, { name: "chat", label: "Chat", required: true, value: given.chat, hint: "its id" },
      { name: "member", label: "Only this member of it", value: given.member, hint: "empty: everybody there" }, { name: "user", label: "Acts as the user", value: given.name, hint: "empty: chat- and the id" },
      { name: "skills", label: "May submit", value: given.skills?.join(", "), hint: "skills, separated by commas; report-* for a beginning; empty: none" },
    ],
    send: ({ bridge, chat, skills, ...body }) => send(path("bridges", bridge, "members", chat), { ...body, skills: words(skills) }),
  });
  if (made) await refresh();
}

function bridgeOf(row, refresh) {
  const who = (each) => (each.member ? `${each.member} in ${each.chat}` : each.chat);
  const away = async (each) => {
    if (!(await sure(`Shut out ${who(each)}?`, "Their messages are answered no longer.", "Shut out"))) return;
    await remove(path("bridges", row.name, "members", each.chat) + query({ member: each.member })).then(refresh, failed);
  };
  return [
    h("h3", null, row.name),
    row.members.length ? table(`Who may talk by ${row.name}`, [
      ["Chat", (each) => mono(each.chat)], ["Member", (each) => (each.member ? mono(each.member) : "everybody")], ["Acts as", (each) => each.name], ["May submit", (each) => (each.skills ?? []).join(", ") || "nothing", "wide"],
      ["", (each) => h("div", { class: "row end" }, button("Change", () => allow({ ...each, bridge: row.name }, refresh), { class: "small", "aria-label": `Change ${who(each)}` }), button("Shut out", () => away(each), { class: "small", "aria-label": `Shut out ${who(each)}` })), "act"],
    ], row.members) : empty("Nobody may talk yet."),
    row.strangers.length ? [h("p", { class: "muted" }, `Messages of strangers that were ignored: ${number(row.ignored)}. The newest are of:`), table(`Strangers of ${row.name}`, [
      ["Chat", (each) => mono(each.chat)], ["Member", (each) => (each.member ? mono(each.member) : "–")], ["Calls itself", (each) => each.called ?? "–", "wide"],
      ["", (each) => button("Allow", () => allow({ ...each, bridge: row.name }, refresh), { class: "small", "aria-label": `Allow ${who(each)}` }), "act"],
    ], row.strangers)] : null,
  ];
}

async function end(row, refresh) {
  const done = await ask({
    title: `Revoke ${row.name}?`, text: "Its connections end at once, and it gets in no more. Whom its invitation has admitted goes with it. The log keeps who joined and who revoked it.", submit: "Revoke", danger: true,
    fields: [{ name: "reason", label: "Why", hint: "for the record" }],
    send: ({ reason }) => remove(path("identities", row.name) + query({ reason })),
  });
  if (done) await refresh();
}

/** Who may connect: machines and people who were invited or have joined. */
const people = (rows, refresh) => table("Machines and people who may connect", [
  ["Name", (row) => row.name], ["Role", (row) => row.role], ["State", (row) => (row.status === "expired" ? badge("warning", "expired") : badge(row.status))],
  ["Machine", (row) => row.host || "–"], ["Joined", (row) => (row.joined_at ? time(row.joined_at) : row.uses > 1 ? `${number(row.used)} of ${number(row.uses)}` : "–")],
  ["Invited", (row) => [row.invited_at ? time(row.invited_at) : "–", row.invited_by || row.invitation ? h("div", { class: "muted" }, `by ${row.invited_by || row.invitation}`) : null]],
  ["", (row) => button("Revoke", () => end(row, refresh), { class: "small", "aria-label": `Revoke ${row.name}` }), "act"],
], rows);

export default async function access({ root, signal }) {
  const chats = h("div", null);
  let seen = "";
  const refresh = async () => {
    const [{ rows }, { rows: joined }] = await Promise.all([get("/bridges", {}, signal), get("/identities", {}, signal)]);
    const text = JSON.stringify([rows, joined]);
    if (text === seen || (seen && (busy(chats) || chats.contains(document.activeElement)))) return;
    seen = text;
    put(chats, section("Machines and people", {}, joined.length ? people(joined, again) : empty("Nobody was invited.", "Let a machine or a person in: ", code("claw invite node NAME"), ".")),
      section("Chats", { extra: button("Allow a chat", () => allow({}, again)) }, rows.length ? rows.map((row) => bridgeOf(row, again)) : empty("No chat is connected.", "Approvals and tasks in a chat: ", code("claw chat run telegram --token-file FILE"), ".")));
  };
  const again = () => ((seen = ""), refresh());
  await Promise.all([
    tablePage({
      root, signal, title: "Access", intro: "Keys let programs ask over HTTP. Machines and people join by an invitation. People in chats ask and answer by a bridge.", after: chats,
      load: async () => (await get("/keys", {}, signal)).rows,
      actions: (reload) => [button("New key", () => addKey(reload), { class: "primary" })],
      none: () => empty("There is no key.", "A program asks with one: add it here, or with ", code("claw key add NAME --scope tasks"), "."),
      columns: (reload) => [
        ["Key", (row) => row.name], ["State", state], ["May", (row) => row.scopes.join(", ")], ["For", (row) => row.user || "–"],
        ["Expires", (row) => (row.expires_at ? time(row.expires_at) : "never")], ["Rate", (row) => bound(row.rate_per_s, "s"), "num"], ["Quota", (row) => bound(row.quota_per_day, "day"), "num"],
        ["Added", (row) => [time(row.added_at), row.added_by ? h("div", { class: "muted" }, `by ${row.added_by}`) : null]],
        ["", (row) => button("Revoke", () => revoke(row, reload), { class: "small", "aria-label": `Revoke ${row.name}` }), "act"],
      ],
    }),
    refresh().catch((error) => put(chats, trouble(error))),
  ]);
  repeat(5000, signal, refresh, (error) => error.status !== 401 && failed(error));
}
