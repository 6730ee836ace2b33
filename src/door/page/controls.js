// The controls of the camera that is shown, for users: sliders, boxes and menus made of what the camera has. A file of its own: the
// rest of the page knows nothing of it but `showControls`.

const SETTLED = 150; // ms without a move of a slider before its value is sent
const RETRY = 3000; // ms before the list is asked for again

const $ = (id) => document.getElementById(id);
let camera = null; // whose controls are shown or asked for
let list = [];
let sending = false;
let waiting = {}; // values that are sent when the answer to the last ones is there
let timer = 0;
const knobs = new Map(); // by name: {row, input, output, mark}

// The camera, or nothing where none is shown or its controls cannot be set now.
export function showControls(name) {
  if (name === camera) return;
  camera = name;
  waiting = {};
  clearTimeout(timer);
  $("controls").hidden = true;
  tell("");
  if (camera) load();
}

async function ask(body) {
  const options = { cache: "no-store" };
  if (body) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await fetch(`api/cameras/${encodeURIComponent(camera)}/controls`, options);
  const said = await answer.json().catch(() => ({ error: `framewire says ${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(said.error);
  return said;
}

async function load() {
  const name = camera;
  try {
    const said = await ask();
    if (name === camera) show(said);
  } catch {
    timer = setTimeout(() => name === camera && load(), RETRY);
  }
}

// One question at a time: a slider that is drawn sends its newest value when the answer to an older one is there.
async function send(body, done) {
  const name = camera;
  sending = true;
  try {
    const said = await ask(body);
    if (name !== camera) return null;
    show(said);
    tell(said.notes.join(" ") || done || "");
    return said;
  } catch (error) {
    if (name !== camera) return null;
    tell(error.message, true);
    await load(); // what is true is shown again
    return null;
  } finally {
    sending = false;
    if (name === camera) flush();
  }
}

function flush() {
  if (sending || !Object.keys(waiting).length) return;
  const controls = waiting;
  waiting = {};
  send({ controls });
}

function set(name, value, delay) {
  waiting[name] = value;
  clearTimeout(timer);
  timer = setTimeout(flush, delay);
}

function tell(text, bad) {
  $("controls-note").textContent = text;
  $("controls-note").classList.toggle("bad", Boolean(bad));
}

// ---- What the camera has

const number = ({ menu }, value) => (typeof value === "string" ? menu.find(({ name }) => name === value)?.index : Number(value));
const isFree = ({ read_only, inactive, grabbed }) => !read_only && !inactive && !grabbed;
const usual = (control) => number(control, control.configured ?? control.default);
const after = (control) => number(control, control.kept ?? control.configured ?? control.default); // when it is opened anew
const changed = (than) => Object.fromEntries(
  list.filter((control) => isFree(control) && control.value !== null && control.value !== than(control)).map(({ name, value }) => [name, value]),
);

function show({ controls }) {
  list = controls;
  const names = list.map(({ name }) => name);
  if (names.join() !== [...knobs.keys()].join() || list.some((control) => knobs.get(control.name).of !== shape(control))) {
    knobs.clear();
    for (const control of list) knobs.set(control.name, knob(control));
    $("knobs").replaceChildren(...[...knobs.values()].map(({ row }) => row));
  }
  for (const control of list) update(control);
  $("keep").disabled = !Object.keys(changed(after)).length;
  $("unkeep").disabled = !Object.keys(changed(usual)).length && list.every(({ kept }) => kept === undefined);
  $("controls").hidden = !list.length;
}

const shape = ({ kind, minimum, maximum, step, menu }) => JSON.stringify([kind, minimum, maximum, step, menu]);

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function knob(control) {
  const { name, kind, minimum, maximum, step, menu } = control;
  const id = `knob-${name}`;
  const words = name.replaceAll("_", " ");
  const label = element("label", { for: id }, words.charAt(0).toUpperCase() + words.slice(1));
  const output = element("output", { for: id });
  const mark = element("small", { id: `${id}-mark` });
  let input;
  if (kind === "menu") {
    input = element("select", { id }, ...menu.map((item) => element("option", { value: item.index }, item.name)));
    input.addEventListener("change", () => set(name, Number(input.value), 0));
  } else if (kind === "boolean") {
    input = element("input", { id, type: "checkbox" });
    input.addEventListener("change", () => set(name, Number(input.checked), 0));
  } else {
    input = element("input", { id, type: "range", min: minimum, max: maximum, step: Math.max(1, step) });
    input.addEventListener("input", () => {
      output.textContent = input.value;
      set(name, Number(input.value), SETTLED);
    });
  }
  input.setAttribute("aria-describedby", mark.id);
  return { row: element("div", { class: "knob" }, label, input, output, mark), input, output, mark, of: shape(control) };
}

function update(control) {
  const { input, output, mark } = knobs.get(control.name);
  const { kind, value, minimum, maximum } = control;
  // A control that is moved just now is further than the answer.
  if (!(control.name in waiting)) {
    if (kind === "boolean") input.checked = Boolean(value);
    else input.value = value ?? control.default;
    output.textContent = kind === "integer" ? (value ?? "?") : "";
  }
  input.disabled = !isFree(control);
  const why = control.read_only ? "can only be read" : control.inactive ? "another control decides" : control.grabbed ? "not while it streams" : "";
  const range = kind === "integer" ? `${minimum} to ${maximum}, usually ${usual(control)}` : "";
  mark.textContent = [control.kept === undefined ? "" : "kept", why, range].filter(Boolean).join(" · ");
}

// ---- What people do

$("keep").addEventListener("click", () => send({ controls: changed(after), keep: true }, "Kept, also over a restart."));
$("unkeep").addEventListener("click", async () => {
  const done = "Nothing is kept: config.toml counts again.";
  if (!(await send({ keep: false }, done))) return;
  // What was set and not kept goes back too.
  const rest = Object.fromEntries(list.filter(({ name }) => name in changed(usual)).map((control) => [control.name, usual(control)]));
  if (Object.keys(rest).length) send({ controls: rest }, done);
});
