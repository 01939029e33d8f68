// The dialog that makes a task.

import { batch, get, post, upload, words } from "./api.js";
import { ask, failed } from "./widgets.js";

export const PRIORITIES = ["low", "normal", "high", "urgent"];

/** Asks for a skill and its parameters; resolves to the row of the new task, or null. */
export async function newTask(given = {}) {
  let skills = [];
  try {
    skills = (await get("/skills")).rows;
  } catch (error) {
    failed(error);
  }
  return ask({
    title: "New task",
    submit: "Submit",
    fields: [
      { name: "skill", label: "Skill", required: true, list: skills.map((each) => each.name), value: given.skill },
      { name: "params", label: "Parameters (JSON)", kind: "json", value: given.params ? JSON.stringify(given.params, null, 2) : "{}", rows: 5 },
      { name: "name", label: "Name", value: given.name },
      { name: "priority", label: "Priority", options: PRIORITIES, value: "normal" },
      { name: "user", label: "User" },
      { name: "tags", label: "Tags", hint: "separated by commas" },
      { name: "files", label: "Files", kind: "file", multiple: true, hint: "each becomes the parameter of its name without the ending" },
      { name: "at", label: "Not before", hint: "a time with its zone, as in 2027-01-31T08:00:00Z" },
    ],
    send: async ({ tags, files, ...values }) => {
      for (const file of files) values.params = { ...values.params, [file.name.replace(/\.[^.]*$/, "") || file.name]: await upload(file) };
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
      const labels = words(tags);
      return post("/tasks", labels.length ? { ...body, tags: labels } : body);
    },
  });
}

/** Asks for a file of tasks, and tells how many were made and which lines were refused. */
export async function manyTasks() {
  return ask({
    title: "Tasks of a file",
    submit: "Submit all",
    text: "A JSON list of tasks, or one task a line. With an id or a key each, the same file again makes nothing twice.",
    fields: [{ name: "files", label: "File", kind: "file", required: true }],
    send: ({ files: [file] }) => batch(file),
  });
}
