// What the checks of `claw doctor` find.

import { get } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { act, badge, button, code, table } from "../core/widgets.js";

export default async function doctor({ root, signal }) {
  const body = h("div", { class: "card" });
  const verdict = h("span", { role: "status" });
  const check = async () => {
    const { ok, checks } = await get("/doctor", {}, signal);
    const warned = checks.filter((each) => each.verdict === "warning").length;
    put(verdict, ok ? (warned ? badge("warning", `${warned} to look at`) : badge("ok", "all is well")) : badge("failed", "something needs care"));
    const order = ["failed", "warning", "unknown", "ok"];
    put(body, table("Checks", [
      ["Check", (each) => each.name], ["Verdict", (each) => badge(each.verdict)], ["Detail", (each) => h("div", { class: "wrap" }, each.detail), "wide"],
    ], [...checks].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))));
    return true;
  };
  put(root, h("div", { class: "title" }, h("h1", null, "Doctor"), verdict, h("div", { class: "row" }, button("Check again", (event) => act(event.target, check, "Checked")))), h("p", { class: "muted" }, "What can be checked from here. ", code("claw doctor"), " on the machine of the cluster checks its data folder too."), body);
  await check();
}
