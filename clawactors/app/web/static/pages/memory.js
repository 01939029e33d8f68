// Memory: search with scores that are explained, a timeline, facts as a graph, and where each memory comes from.

import { get, patch, path, post, put as send, query as queryOf, remove, words } from "../core/api.js";
import { h, put, s } from "../core/dom.js";
import { exact, number, time } from "../core/format.js";
import { act, ask, badge, button, code, empty, facts, filters, fold, idOf, json, meter, section, sure, table, toast, trouble } from "../core/widgets.js";

const VIEWS = [["", "Search"], ["timeline", "Timeline"], ["graph", "Facts"], ["audit", "Changes"]];
const WEIGHTS = "What has added to the score.";

export default async function memory(context) {
  return context.rest[0] ? one(context) : all(context);
}

const link = (id, text) => idOf(id, path("memory", id), text);
const sources = (row) => (row.sources ?? []).slice(0, 12).map((seq) => h("a", { class: "tag", href: `/logs?from=${seq}` }, `event ${seq}`));

async function note() {
  const made = await ask({
    title: "Remember", submit: "Remember",
    fields: [{ name: "text", label: "Text", kind: "long", required: true }, { name: "tags", label: "Tags", hint: "separated by commas" }, { name: "owner", label: "Owner", hint: "empty: everybody's" }],
    send: ({ text, tags, owner }) => post("/memories", { text, tags: words(tags), ...(owner && { owner }) }),
  });
  if (made) toast("Remembered");
  return made;
}

async function all({ root, signal, query, set }) {
  let wanted = query;
  const results = h("div", { class: "page" });
  const amount = h("span", { class: "muted" });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": "View" });
  const form = h("div", null);

  async function show() {
    const view = wanted.view ?? "";
    put(tabs, VIEWS.map(([name, title]) => button(title, () => set({ view: name || undefined }), { "aria-pressed": String(view === name), "data-view": name })));
    const narrow = { owner: wanted.owner, kind: wanted.kind, tag: wanted.tag, session: wanted.session, since: wanted.since, until: wanted.until };
    const asked = JSON.stringify(wanted);
    try {
      const made = await { "": search, timeline, graph, audit }[view](narrow);
      if (asked === JSON.stringify(wanted)) put(results, made);
    } catch (error) {
      if (!signal.aborted) put(results, trouble(error, show));
    }
  }

  async function search(narrow) {
    const { rows } = await get("/memories/search", { q: wanted.q, limit: wanted.q ? 20 : 30, explain: true, ...narrow }, signal);
    if (!rows.length) return section("Results", wanted.q ? empty("Nothing is remembered about that.", "Use other words, or fewer filters.") : empty("Nothing is remembered yet.", "Tasks, chats and notes become memories: ", code("claw memory add TEXT"), "."));
    return section(wanted.q ? "Best first" : "Newest", rows.map((row, place) => h("article", { class: "hit" },
      h("p", { class: "wrap" }, h("a", { href: path("memory", row.id) }, row.text)),
      h("div", { class: "row muted" }, typeof row.score === "number" ? h("span", null, meter(row.score, `score ${row.score}`, false), ` ${row.score.toFixed(2)}${row.weak ? " (weak)" : ""}`) : null, badge("", row.kind), time(row.at), row.owner ? `of ${row.owner}` : "everybody's", (row.tags ?? []).map((each) => h("span", { class: "tag" }, each))),
      row.parts ? fold("Why this score", () => explained(row.parts), place === 0 && Boolean(wanted.q)) : null,
      fold("Where it comes from", () => h("div", null, row.parents?.length ? h("p", null, "Drawn from ", row.parents.map((id) => link(id))) : null, h("p", null, sources(row)))))));
  }

  async function timeline(narrow) {
    const { rows } = await get("/memories/search", { q: wanted.q, limit: 200, ...narrow }, signal);
    const days = Map.groupBy([...rows].sort((a, b) => b.at.localeCompare(a.at)), (row) => exact(row.at).slice(0, 10));
    if (!rows.length) return section("Timeline", empty("Nothing is remembered there."));
    return [...days].map(([day, some]) => section(day, table(day, [["Time", (row) => h("time", { datetime: row.at, title: row.at }, exact(row.at).slice(11, 19))], ["Kind", (row) => row.kind], ["Memory", (row) => h("a", { href: path("memory", row.id) }, row.text.length > 160 ? `${row.text.slice(0, 160)}…` : row.text), "wide"], ["Owner", (row) => row.owner || "–"], ["From", (row) => sources(row).slice(0, 3)]], some)));
  }

  async function graph() {
    const name = wanted.q ?? "";
    if (!name) return section("Facts", empty("Which name?", "Type a name above, as in ", code("Ada"), ": facts about it are drawn."));
    const { rows } = await get("/memories/about", { name, owner: wanted.owner, depth: 2 }, signal);
    if (!rows.length) return section("Facts", empty(`No fact about “${name}” is known.`, "Names are as they are written in the memories."));
    return [section(`Facts about ${name}`, h("div", { class: "diagram", role: "group", tabindex: "0", "aria-label": "Graph of facts" }, draw(name, rows))), section("As a table", table("Facts", [
      ["Subject", (row) => h("a", { href: `/memory?view=graph&q=${encodeURIComponent(row.fact.subject)}` }, row.fact.subject)], ["Relation", (row) => `${row.fact.negated ? "not " : ""}${row.fact.predicate}`], ["Object", (row) => h("a", { href: `/memory?view=graph&q=${encodeURIComponent(row.fact.object)}` }, row.fact.object)],
      ["Holds", (row) => (row.holds ? "yes" : "no more")], ["Confidence", (row) => `${Math.round(row.fact.confidence * 100)} %`, "num"], ["Since", (row) => time(row.fact.valid_from)], ["Until", (row) => time(row.fact.valid_until)], ["Memory", (row) => link(row.id, "memory")],
    ], rows))];
  }

  async function audit() {
    const { rows } = await get("/memories/audit", { owner: wanted.owner, limit: 100 }, signal);
    return section("Changes", rows.length ? table("Changes", [["Seq", (row) => h("a", { href: `/logs?from=${row.seq}` }, row.seq)], ["Time", (row) => time(row.at)], ["What", (row) => row.what], ["Memory", (row) => link(row.id, "memory")], ["By", (row) => row.by], ["Why", (row) => row.why || "–"], ["After", (row) => (row.after?.text ?? ""), "wide"]], rows) : empty("Nothing has changed."));
  }

  async function context() {
    const told = await ask({ title: "What an agent is told", submit: "Show", text: "What memory holds about a text, packed for a language model.", fields: [{ name: "text", label: "Text", value: wanted.q ?? "", required: true }, { name: "tokens", label: "Tokens at most", kind: "number", value: 2000 }, { name: "owner", label: "Owner", value: wanted.owner ?? "" }], send: ({ text, ...given }) => get("/memories/context", { q: text, ...given }) });
    if (told) await ask({ title: "Context", submit: "Close", cancel: "", content: h("pre", { tabindex: "0" }, told.text) });
  }

  async function ofOwner() {
    const known = await ask({ title: "Memory of an owner", submit: "Next", fields: [{ name: "owner", label: "Owner", value: wanted.owner ?? "", required: true }], send: async ({ owner }) => ({ owner, ...(await get("/memory-settings", { owner })) }) });
    if (!known) return;
    const done = await ask({ title: `Memory of ${known.owner}`, submit: "Save", fields: [{ name: "memory", label: "Remember what they say and do", kind: "check", value: known.memory }, { name: "retention_days", label: "Forget after days", kind: "number", value: known.retention_days ?? "", hint: "0: never" }, { name: "language", label: "Language", value: known.language ?? "" }, { name: "zone", label: "Time zone", value: known.zone ?? "" }, { name: "sharing", label: "Shared with", value: (known.sharing ?? []).join(", "), hint: "users, agent:SKILL or *, separated by commas" }], send: ({ sharing, ...body }) => send("/memory-settings" + queryOf({ owner: known.owner }), { ...body, sharing: words(sharing) }) });
    if (done) toast("Saved");
  }

  async function forgetMany() {
    const scope = await ask({ title: "Forget", danger: true, submit: "Look first", text: "Everything of an owner, a conversation or a time, and what was drawn from it. You will see how much that is.", fields: [{ name: "owner", label: "Owner" }, { name: "session", label: "Conversation, task or document" }, { name: "since", label: "From (time with zone)" }, { name: "until", label: "To (time with zone)" }, { name: "reason", label: "Why", hint: "it is on record" }], send: async (given) => {
      const body = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
      return { body, receipt: await post("/memories/forget", { ...body, dry_run: true }) };
    } });
    if (!scope?.receipt) return;
    const count = scope.receipt.ids.length;
    if (await sure(`Forget ${number(count)} memories?`, "This can't be undone.", "Forget")) await act(null, () => post("/memories/forget", scope.body), "Forgotten");
    await show();
  }

  const showForm = () => put(form, filters([{ name: "q", label: "Search", kind: "search", placeholder: "a question, or a name" }, { name: "owner", label: "Owner" }, { name: "kind", label: "Kind", options: [["", "any"], "raw", "summary", "knowledge"] }, { name: "tag", label: "Tag" }, { name: "session", label: "Session" }], wanted, (changes) => set(changes, { replace: true })));
  showForm();
  put(root, h("div", { class: "title" }, h("h1", null, "Memory"), amount, h("div", { class: "row" }, button("Remember", async () => (await note()) && show(), { class: "primary" }), button("Context", context), button("Of an owner", ofOwner), button("Forget…", forgetMany))), form, tabs, results);
  await show();
  get("/memories/stats", {}, signal).then((stats) => put(amount, `${number(stats.items)} memories, ${number(stats.kinds?.knowledge ?? 0)} of them drawn from others`)).catch(() => {});
  return {
    update(next) {
      wanted = next;
      if (!form.contains(document.activeElement)) showForm();
      return show();
    },
  };
}

function explained(parts) {
  const most = Math.max(...Object.values(parts).filter((each) => typeof each === "number"), 0.001);
  return [h("p", { class: "muted" }, WEIGHTS), h("div", { class: "parts" }, Object.entries(parts).map(([name, value]) => [h("span", null, name), typeof value === "number" ? meter(value / most, `${name} ${value}`, false) : h("span", null), h("span", { class: "num" }, typeof value === "number" ? value.toFixed(2) : JSON.stringify(value))]))];
}

/** The name in the middle, what it is related to around it, and what those are related to outside. */
function draw(name, rows) {
  const width = 760;
  const height = 340;
  const links = rows.slice(0, 60).map(({ fact, holds }) => ({ from: fact.subject, to: fact.object, text: `${fact.negated ? "not " : ""}${fact.predicate}`, holds }));
  const places = new Map();
  const rings = [[links.find((each) => each.from.toLowerCase() === name.toLowerCase())?.from ?? links[0].from]];
  places.set(rings[0][0], { x: width / 2, y: height / 2 });
  for (let ring = 1; ring < 4; ring++) {
    const near = new Set(links.filter((each) => places.has(each.from) !== places.has(each.to)).map((each) => (places.has(each.from) ? each.to : each.from)));
    [...near].forEach((each, place) => {
      const turn = (place / near.size) * 2 * Math.PI + ring * 0.4 - Math.PI / 2;
      places.set(each, { x: width / 2 + Math.cos(turn) * (110 + 80 * ring), y: height / 2 + Math.sin(turn) * (60 + 50 * ring) });
    });
    if (!near.size) break;
  }
  const short = (text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);
  return s("svg", { class: "graph", role: "img", viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": `Facts about ${name}: ${links.slice(0, 12).map((each) => `${each.from} ${each.text} ${each.to}`).join("; ")}` },
    links.filter((each) => places.has(each.from) && places.has(each.to)).map((each) => {
      const a = places.get(each.from);
      const b = places.get(each.to);
      return [s("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, "stroke-dasharray": each.holds ? null : "4 4" }), s("text", { class: "edge", x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 - 4, "text-anchor": "middle" }, each.text)];
    }),
    [...places].map(([text, { x, y }]) => s("g", null, s("circle", { cx: x, cy: y, r: 7 }), s("text", { x, y: y + 22, "text-anchor": "middle" }, short(text), s("title", null, text)))));
}

async function one({ root, rest, signal, title, go }) {
  const where = path("memories", rest[0]);
  const row = await get(where, {}, signal);
  title(row.text.slice(0, 60));
  const [versions, changes] = await Promise.all([get("/memories/versions", { id: rest[0] }, signal).catch(() => ({ rows: [] })), get("/memories/audit", { id: rest[0] }, signal).catch(() => ({ rows: [] }))]);
  const again = () => go(location.pathname, { replace: true });
  const forget = async () => {
    if (!(await sure("Forget this memory?", "What was drawn from it is forgotten too. This can't be undone.", "Forget"))) return;
    if (await act(null, () => remove(where), "Forgotten")) go("/memory");
  };
  const edit = async () => {
    const made = await ask({ title: "Other words", submit: "Save", fields: [{ name: "text", label: "Text", kind: "long", value: row.text, required: true }], send: (body) => patch(where, body) });
    if (made) go(path("memory", made.id), { replace: true });
  };
  const archived = row.status === "archived";
  const raw = row.session?.startsWith?.("t-") ? h("a", { href: path("tasks", row.session) }, row.session) : row.session;
  put(root, h("div", { class: "title" }, h("h1", { class: "wrap" }, row.text), badge(row.status), h("div", { class: "row" }, button("Edit", edit), button(archived ? "Restore" : "Archive", async (event) => {
    if (await act(event.target, () => post(`${where}/${archived ? "restore" : "archive"}`), archived ? "Restored" : "Archived")) again();
  }), button("Forget", forget, { class: "danger" }))), section("Facts", facts([
    ["Id", idOf(row.id)], ["Kind", row.kind], ["Level", row.level], ["Owner", row.owner || "everybody's"], ["Speaker", row.speaker], ["Session", raw], ["Agent", row.agent], ["Tags", (row.tags ?? []).map((each) => h("a", { class: "tag", href: `/memory?tag=${encodeURIComponent(each)}` }, each))],
    ["When", time(row.at)], ["Recorded", time(row.recorded_at)], ["Importance", row.importance], ["Uses", number(row.uses)], ["Times seen", number(row.count)], ["Origin", row.origin],
  ])),
  row.fact ? section("As a fact", facts([["Subject", h("a", { href: `/memory?view=graph&q=${encodeURIComponent(row.fact.subject)}` }, row.fact.subject)], ["Relation", `${row.fact.negated ? "not " : ""}${row.fact.predicate}`], ["Object", row.fact.object], ["Confidence", row.fact.confidence], ["Holds from", time(row.fact.valid_from)], ["Until", time(row.fact.valid_until)]])) : null,
  section("Where it comes from", row.parents?.length ? [h("p", null, "Drawn from these memories:"), h("ul", null, row.parents.map((id) => h("li", null, link(id))))] : null, row.sources?.length ? h("p", null, "Recorded in ", sources(row)) : h("p", { class: "muted" }, "No event is named.")),
  versions.rows.length > 1 ? section("Versions", table("Versions", [["Version", (each) => number(each.version), "num"], ["Text", (each) => each.text, "wide"], ["By", (each) => each.by], ["At", (each) => time(each.at)]], versions.rows)) : null,
  changes.rows.length ? section("Changes", table("Changes", [["Time", (each) => time(each.at)], ["What", (each) => each.what], ["By", (each) => each.by], ["Why", (each) => each.why || "–"]], changes.rows)) : null,
  section("All fields", h("div", { class: "payload" }, json(row))));
}
