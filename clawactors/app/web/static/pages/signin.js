// What those see who are not signed in.

import { h } from "../core/dom.js";
import { button, code, copier } from "../core/widgets.js";

const SAID = {
  stale: "That link was used, is older than an hour, or is not whole.",
  locked: "Too many wrong links or keys were tried. Wait a minute, then make a new link.",
};

export default function signin() {
  const said = SAID[new URLSearchParams(location.search).get("link")];
  return h("div", { class: "page" }, h("section", { class: "card" }, h("h1", null, "Sign in"),
    h("p", null, "This dashboard is open to people with a link. Each link works once."),
    said ? h("p", { class: "notice", role: "alert" }, said) : null,
    h("p", null, "On the machine of the cluster, run ", code("claw login"), copier("claw login"), " and follow the link that it prints."),
    h("p", { class: "muted" }, "The session may have ended, or the web process was started anew. Nothing is lost: the page that you wanted opens after the sign-in."),
    h("div", { class: "row" }, button("I have signed in", () => location.reload(), { class: "primary" }))));
}
