// The page of framewire's HTTP door. It asks for api/status once a second, and takes the pictures of all cameras that can be seen
// over one connection, /stream: a browser has six connections to a host, for all its tabs together.

import { showControls } from "./controls.js";

const POLL = 1000; // ms between two questions for the status
const POLL_MANY = 2000; // the same, with more than MANY cameras
const MANY = 24;
const NO_ANSWER = 5000; // ms after which a question counts as unanswered
const SILENCE = 5000; // ms without an octet, while a camera delivers, after which the stream is opened anew
const STALE = 2000; // ms after which a picture counts as old
const BACK_OFF = [500, 1000, 2000, 4000, 8000]; // ms before the next attempt
const SPANS = [1, 2, 5]; // minutes that the graphs show: the first that has room for what is known
const IMAGES = 4; // streams at once without createImageBitmap: two connections stay free
const WALL_FPS = 10; // asked for when more than FEW cameras are seen at once
const FEW = 9;
const MAX_PICTURE = 64 << 20; // octets
const RATIO = 16 / 9; // of a tile's screen

const $ = (id) => document.getElementById(id);
const cameras = new Map(); // by name, in the server's order
const seconds = () => performance.now() / 1000; // never set back, unlike the time of day
let rtspPort = null; // where players are answered, if they are
const canDecode = "createImageBitmap" in window && "body" in Response.prototype;
const encoded = encodeURIComponent;

// ---- Small helpers

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);

// Writing the same text again would cost layout, and make screen readers speak.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function say(text) {
  $("said").textContent = text; // only screen readers see it
}

const backOff = (failures) => BACK_OFF[Math.min(failures, BACK_OFF.length) - 1];
const last = (list) => list[list.length - 1]; // older browsers have no at()
const whole = (n) => n.toLocaleString("en");
const count = (n, what) => `${whole(n)} ${what}${n === 1 ? "" : "s"}`;
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const clock = (ms) => new Date(ms).toLocaleTimeString();
const rounded = (n) => String(Number(n >= 100 ? n.toFixed(0) : n.toPrecision(n < 0.01 ? 1 : 3)));
const ageText = (ms) => (ms < 10000 ? `${Math.max(0, Math.round(ms))} ms` : duration(ms / 1000));

function duration(s) {
  const [length, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([length]) => s > 1.5 * length) ?? [1, "second"];
  return count(Math.round(s / length), unit);
}

// ---- The server's clock: what its status says, half a round trip ago. The quickest of the last answers is the most exact.

const answers = [];

function learnClock(time, asked, answered) {
  if (answers.length && answered - last(answers).at > 10) answers.length = 0; // this machine slept
  answers.push({ at: answered, trip: answered - asked, offset: time - (asked + answered) / 2 });
  if (answers.length > 20) answers.shift();
}

function serverNow() {
  return answers.length ? seconds() + answers.reduce((a, b) => (b.trip < a.trip ? b : a)).offset : NaN;
}

// ---- A camera

class Camera {
  constructor(name) {
    this.name = name;
    this.address = `#/${encoded(name)}`;
    this.onScreen = false;
    this.history = []; // one entry per status: {at, fps, mbits, age, drops, loss}
    this.ages = []; // ms, of the pictures drawn since the last status
    this.tile = copyOf("tile");
    this.screen = copyOf("screen");
    this.screen.camera = this;
    [this.canvas, this.box] = this.screen.children;
    this.tile.prepend(this.screen);
    Object.assign(this.tile.querySelector("a"), { textContent: name, href: this.address });
    watcher.observe(this.screen);
    sizes.observe(this.screen);
  }

  remove() {
    watcher.unobserve(this.screen);
    sizes.unobserve(this.screen);
    this.tile.remove();
    this.screen.remove();
    cameras.delete(this.name);
  }

  update(status, time) {
    const words = stateWords(status);
    if (this.words && this.words.short !== words.short && [words, this.words].some(({ tone }) => tone === "bad")) {
      say(`${this.name}: ${words.short}. ${words.why}`);
    }
    this.history.push(this.status ? changes(this.status, status, time - this.time, this.ages) : { at: seconds() });
    while (this.history[0].at < seconds() - last(SPANS) * 60) this.history.shift();
    Object.assign(this, { status, time, words, ages: [], since: status.state_seconds });
  }

  // While one picture is being decoded only the newest waits: an old picture is of no use.
  async show(jpeg, time) {
    if (this.decoding) {
      this.waiting = [jpeg, time];
      return;
    }
    this.decoding = true;
    try {
      const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      this.draw(picture);
      picture.close();
      this.taken = time;
      this.drawn = seconds();
      if (seconds() - stream.opened > 1) this.ages.push((serverNow() - time) * 1000); // the first ones waited for their decoder
    } catch {
      // A damaged picture: the next one is only moments away.
    }
    this.decoding = false;
    const next = this.waiting;
    this.waiting = null;
    if (next) this.show(...next);
  }

  // The canvas has no more pixels than are seen: a hundred canvases of full size would take a gigabyte.
  draw(picture) {
    const pixels = Math.max(160, this.width || 0) * devicePixelRatio;
    const scale = Math.min(1, Math.max(pixels / picture.width, pixels / RATIO / picture.height));
    const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d", { alpha: false });
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, width, height);
    this.screen.classList.add("seen");
  }

  get fps() {
    const newest = this.history.slice(-3).map((entry) => entry.fps).filter((fps) => fps !== undefined);
    return newest.length ? sum(newest) / newest.length : undefined;
  }

  // Ms without a new picture, although one is asked for.
  get standing() {
    return paused || !canDecode ? 0 : (seconds() - Math.max(this.drawn ?? 0, stream.opened)) * 1000;
  }

  // How old the picture is that can be seen, in ms: when it was drawn, or by now when no newer one comes.
  get age() {
    return this.standing > STALE ? (serverNow() - this.taken) * 1000 : last(this.ages) ?? last(this.history).age;
  }

  // The words over the picture: nothing when the picture says it all.
  get cover() {
    const { tone, short, why } = this.words;
    const seen = this.image || this.screen.classList.contains("seen");
    if (tone === "bad" || short === "stopped") {
      const since = this.since === null ? "" : ` since ${clock(Date.now() - this.since * 1000)} (${duration(this.since)})`;
      return [`${tone === "bad" ? "Away" : "Stopped"}${since}`, why];
    }
    if (paused) return seen ? null : ["Paused", ""];
    if (!canDecode) return seen ? null : [`This browser shows ${IMAGES} cameras at a time`, "Open this one to see it."];
    if (tone === "off" || short === "opening") return ["Opening the camera …", ""];
    if (this.drawn && this.standing > STALE) return [`No new picture for ${duration(seconds() - this.drawn)}`, ""];
    return seen ? null : ["Waiting for the first picture …", ""];
  }

  // What changes from moment to moment.
  refresh() {
    const { cover, words } = this;
    this.box.hidden = !cover;
    this.screen.classList.toggle("old", Boolean(cover));
    [...this.box.children].forEach((line, i) => setText(line, cover?.[i] ?? ""));
    showState(this.tile.querySelector(".state"), words);
    const room = this.width < 380 ? -1 : 0; // for the age alone, or for all
    setText(this.tile.querySelector(".facts"), this.facts().slice(room).join(" · "));
    const label = `${this.name}: ${words.tone === "good" ? "live" : "last"} picture`;
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
  }

  facts(long) {
    if (this.words.tone === "bad" || this.words.tone === "off") return [];
    const facts = this.fps === undefined ? [] : [`${this.fps.toFixed(1)} fps`];
    if (paused) facts.push("paused");
    else if (this.age >= 0) facts.push(`${ageText(this.age)}${long ? " old" : ""}`);
    return facts;
  }
}

// A state of the server in a word or three, and the reason. The tone chooses colour and sign.
function stateWords({ state, outputs, viewers }) {
  const away = /^waiting for the camera: (.*)$/s.exec(state);
  if (away) return { tone: "bad", short: "away", why: away[1] };
  if (state === "idle") return { tone: "off", short: "sleeping", why: "It opens when somebody looks." };
  if (state === "stopped") return { tone: "off", short: state, why: "" };
  if (state === "opening the camera") return { tone: "warn", short: "opening", why: "" };
  const broken = outputs.filter((output) => output.problem);
  const why = broken.map(({ destination, problem }) => `Not sent to ${destination}: ${problem}.`).join(" ");
  // Without a receiver the state changes back and forth: an attempt counts as sent until its error comes. This page is one too.
  if (broken.length && broken.length === outputs.length && !viewers.watching) return { tone: "warn", short: "sending to nobody", why };
  return { tone: "good", short: "streaming", why };
}

function showState(node, { tone, short }) {
  node.className = `state ${tone}`;
  setText(node, short);
}

// What a camera did between two statuses. Counters that went back are those of a server that started anew.
function changes(before, after, time, ages) {
  const entry = { at: seconds() };
  const octets = ({ octets_sent, viewers }) => octets_sent + viewers.octets_sent;
  const frames = after.frames_captured - before.frames_captured;
  const sent = octets(after) - octets(before);
  if (frames < 0 || sent < 0 || time <= 0 || time > 10) return entry;
  entry.fps = frames / time;
  entry.mbits = (sent * 8) / time / 1e6;
  const drops = Object.entries(after.frames_dropped).map(([reason, n]) => [reason, n - (before.frames_dropped[reason] ?? 0)]);
  entry.drops = Object.fromEntries(drops.filter(([, n]) => n > 0));
  const losses = after.outputs.flatMap(({ receivers }) => receivers.map(({ fraction_lost }) => fraction_lost * 100));
  if (losses.length) entry.loss = Math.max(...losses);
  if (ages.length) entry.age = ages.sort((a, b) => a - b)[ages.length >> 1];
  return entry;
}

// ---- The pictures: one connection for all cameras that can be seen

let paused = false;
const stream = { key: "", abort: null, timer: 0, failures: 0, opened: 0, heard: 0 };

// A screen that scrolls away or is hidden stops; a bit before it scrolls in it starts.
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.camera.onScreen = isIntersecting;
  restream();
}, { rootMargin: "120px 0px" });

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) target.camera.width = contentRect.width;
});

const wanted = () => (document.hidden || paused ? [] : [...cameras.values()].filter((camera) => camera.onScreen));

function restream(delay = 120) {
  clearTimeout(stream.timer); // scrolling brings many changes at once
  stream.timer = setTimeout(canDecode ? openStream : showImages, delay);
}

function closeStream() {
  const { abort } = stream;
  stream.abort = null;
  abort?.abort();
}

async function openStream() {
  const names = wanted().map((camera) => camera.name);
  const key = names.join("/");
  if (stream.abort && key === stream.key) return;
  closeStream();
  if (!names.length) return;
  const abort = new AbortController();
  Object.assign(stream, { key, abort, heard: seconds(), opened: seconds() });
  try {
    const query = new URLSearchParams(names.map((name) => ["camera", name]));
    if (names.length > FEW) query.set("fps", WALL_FPS);
    const answer = await fetch(`stream?${query}`, { signal: abort.signal, cache: "no-store" });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
    trouble("pictures", null);
    await readPictures(new Octets(answer.body.getReader()));
  } catch (error) {
    if (stream.abort !== abort) return; // closed on purpose
    closeStream();
    const delay = backOff(++stream.failures);
    trouble("pictures", `No pictures: ${error.message}.`, delay);
    restream(delay);
  }
}

// multipart/x-mixed-replace; each part has Content-Length, X-Camera and X-Timestamp.
async function readPictures(source) {
  for (;;) {
    if (!(await source.line()).startsWith("--")) continue; // the empty line behind a picture
    const headers = {};
    for (let line; (line = await source.line()); ) {
      const [name, value] = line.split(/:\s*/, 2);
      headers[name.toLowerCase()] = value;
    }
    const length = Number(headers["content-length"]);
    if (!(length > 0 && length < MAX_PICTURE)) throw new Error("a picture without a length came");
    const jpeg = await source.take(length);
    stream.failures = 0;
    cameras.get(headers["x-camera"])?.show(jpeg, Number(headers["x-timestamp"]));
  }
}

// Lines and octets out of the pieces that the network brings, cut anywhere.
class Octets {
  constructor(reader) {
    this.reader = reader;
    this.rest = new Uint8Array(0);
  }

  async more() {
    const { done, value } = await this.reader.read();
    if (done) throw new Error("the server ended the stream");
    stream.heard = seconds();
    this.rest = value;
  }

  async line() {
    for (let text = ""; ; await this.more()) {
      const end = this.rest.indexOf(10);
      const piece = this.rest.subarray(0, end < 0 ? undefined : end);
      if (text.length + piece.length > 4096) throw new Error("a line without an end came");
      text += String.fromCharCode(...piece);
      this.rest = this.rest.subarray(piece.length + 1);
      if (end >= 0) return text.trimEnd();
    }
  }

  async take(length) {
    const octets = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (!this.rest.length) await this.more();
      const piece = this.rest.subarray(0, length - at);
      octets.set(piece, at);
      at += piece.length;
      this.rest = this.rest.subarray(piece.length);
    }
    return octets;
  }
}

// A connection can die without a word. Silence is no sign of it unless the server says that a camera streams.
function watchStream() {
  const silent = (seconds() - stream.heard) * 1000 > SILENCE;
  if (!stream.abort || !silent || !wanted().some((camera) => camera.status.state === "streaming")) return;
  closeStream();
  restream(0);
}

// For browsers without createImageBitmap: an <img> per camera. Only an empty src ends its connection.
function showImages() {
  const shown = wanted().slice(0, IMAGES);
  for (const camera of cameras.values()) {
    if (!shown.includes(camera)) closeImage(camera);
    else if (!camera.image) {
      camera.image = element("img", { src: `${encoded(camera.name)}/stream.mjpg`, alt: `${camera.name}: live picture` });
      camera.image.onerror = () => {
        closeImage(camera);
        restream(2000);
      };
      camera.canvas.after(camera.image);
    }
  }
}

function closeImage(camera) {
  if (!camera.image) return;
  camera.image.onerror = null;
  camera.image.src = "";
  camera.image.remove();
  camera.image = null;
}

// ---- The status

let failures = 0;
let retry = () => {};

async function askStatus() {
  const abort = new AbortController();
  const limit = setTimeout(() => abort.abort(), NO_ANSWER);
  try {
    const asked = seconds();
    const answer = await fetch("api/status", { signal: abort.signal, cache: "no-store" });
    const answered = seconds();
    if (!answer.ok) throw new Error(`it says ${answer.status} ${answer.statusText}`);
    const status = await answer.json();
    learnClock(status.time, asked, answered);
    return status;
  } finally {
    clearTimeout(limit);
  }
}

async function poll() {
  for (;;) {
    try {
      takeStatus(await askStatus());
      if (failures) restream(0);
      failures = 0;
      trouble("status", null);
    } catch (error) {
      failures += 1;
      const why = error.message.startsWith("it says") ? `: ${error.message}` : "";
      trouble("status", `framewire does not answer${why}.`, backOff(failures));
    }
    const pause = failures ? backOff(failures) : cameras.size > MANY ? POLL_MANY : POLL;
    await new Promise((resolve) => setTimeout((retry = resolve), pause));
    while (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

function takeStatus(status) {
  rtspPort = status.rtsp?.port;
  const names = status.cameras.map((camera) => camera.name);
  const changed = names.join("/") !== [...cameras.keys()].join("/");
  if (changed) {
    for (const camera of [...cameras.values()]) if (!names.includes(camera.name)) camera.remove();
    const known = new Map(cameras);
    cameras.clear(); // the order is the server's
    for (const name of names) cameras.set(name, known.get(name) ?? new Camera(name));
  }
  for (const camera of status.cameras) cameras.get(camera.name).update(camera, status.time);
  if (changed) {
    $("wall").append(...[...cameras.values()].map((camera) => camera.tile));
    showRoute();
  }
  summarize(status.host);
  refresh();
  refreshOne();
}

function summarize(host) {
  const counts = {};
  for (const { words } of cameras.values()) counts[words.short] = (counts[words.short] ?? 0) + 1;
  const states = Object.entries(counts).map(([short, n]) => (`${n < cameras.size ? n : n > 1 ? "all" : ""} ${short}`.trim()));
  setText($("summary"), cameras.size ? `${count(cameras.size, "camera")}: ${states.join(", ")}` : "No camera is configured");
  setText($("host"), host === "framewire" ? "" : host);
  document.title = `${counts.away ? `(${counts.away} away) ` : ""}${chosen()?.name ?? "cameras"} – ${host}`;
  $("finder").hidden = cameras.size <= 12;
}

// What is wrong with the connection, in words.
const troubles = {};

function trouble(kind, text, delay) {
  if (text && !troubles[kind]) say(`${text} Trying again.`);
  if (!text && troubles[kind]) say("Connected again.");
  troubles[kind] = text && { text, since: troubles[kind]?.since ?? Date.now(), next: seconds() + delay / 1000 };
  showTrouble();
}

function showTrouble() {
  const now = troubles.status ?? troubles.pictures;
  const long = now && Date.now() - now.since > 900; // a moment's break is no news
  $("trouble").hidden = !long;
  document.body.classList.toggle("lost", Boolean(long && troubles.status));
  if (!long) return;
  const left = Math.ceil(now.next - seconds());
  setText($("trouble-what"), now.text);
  setText($("trouble-next"), `Since ${clock(now.since)}. ${left > 0 ? `Trying again in ${count(left, "second")}.` : "Trying …"}`);
}

// ---- What is shown: the wall, or one camera

function chosen() {
  if (cameras.size === 1) return cameras.values().next().value;
  try {
    return cameras.get(decodeURIComponent(location.hash.slice(2)));
  } catch {
    return undefined; // an address that somebody typed
  }
}

let shown;

function showRoute() {
  const [one, before] = [chosen(), shown];
  shown = one;
  $("overview").hidden = Boolean(one);
  $("one").hidden = !one;
  if (before && before !== one) before.tile.prepend(before.screen);
  if (one && before !== one) {
    $("one-screen").append(one.screen);
    scrollTo(0, 0);
    fillOne(one);
    if (cameras.size > 1) $("one-name").focus({ preventScroll: true });
  }
  layOut();
  if (before && !one) before.tile.querySelector("a").focus();
  restream();
}

// The columns that give the largest tiles which all fit into the window; if those are too small to read, the page scrolls.
function layOut() {
  const words = $("find").value.trim().toLowerCase();
  for (const { tile, name, words: { short } } of cameras.values()) tile.hidden = !`${name} ${short}`.toLowerCase().includes(words);
  const wall = $("wall");
  const n = wall.querySelectorAll("li:not([hidden])").length;
  const gap = parseFloat(getComputedStyle(wall).columnGap) || 0;
  const width = wall.clientWidth + gap;
  const height = innerHeight - wall.offsetTop;
  const least = width < 600 ? (n > 6 ? 150 : 300) : n > 40 ? 210 : 290;
  let columns = Math.max(1, Math.floor(width / (least + gap)));
  let best = width / columns - gap;
  for (let tried = 1, largest = least; tried <= n; tried += 1) {
    const caption = 44;
    const tile = Math.min(width / tried - gap, (height / Math.ceil(n / tried) - gap - caption) * RATIO);
    if (tile >= largest) [columns, best, largest] = [tried, tile, tile];
  }
  wall.style.setProperty("--columns", columns);
  wall.style.setProperty("--tile", `${Math.floor(best)}px`);
  wall.classList.toggle("narrow", best < 280);
}

// Four times a second: ages grow, and words follow them.
function refresh() {
  for (const camera of cameras.values()) if (camera.onScreen) camera.refresh();
  if (shown) {
    const { width, height } = shown.status;
    showState($("one-state"), shown.words);
    setText($("one-why"), shown.words.tone === "bad" ? "" : shown.words.why); // else over the picture
    setText($("one-facts"), [...(width ? [`${width} × ${height}`] : []), ...shown.facts(true)].join(" · "));
    if (width) $("one-screen").style.setProperty("--ratio", width / height);
  }
  showTrouble();
}

// ---- One camera: graphs, lines for other programs, figures

function fillOne(camera) {
  const all = [...cameras.values()];
  const at = all.indexOf(camera);
  setText($("one-name"), camera.name);
  $("one-nav").hidden = all.length < 2;
  $("previous").href = all[(at + all.length - 1) % all.length].address;
  $("next").href = all[(at + 1) % all.length].address;
  $("snapshot").href = `${encoded(camera.name)}/snapshot.jpg`;
  showLine();
  refreshOne();
}

function refreshOne() {
  if (!shown) return showControls(null);
  for (const graph of graphs) graph.draw();
  showControls(shown.status.controls && shown.words.tone === "good" ? shown.name : null);
  if ($("figures").open) fillCounters(shown.status);
}

// The figure `key` of the history's entries; `drops` is a number per reason, stacked.
class Graph {
  constructor(key, title, unit, least) {
    Object.assign(this, { key, title, unit, least, node: copyOf("graph") });
    this.svg = this.node.querySelector("svg");
    this.svg.addEventListener("pointermove", ({ clientX }) => {
      const { left, width } = this.svg.getBoundingClientRect();
      this.draw(((clientX - left) / width) * 300);
    });
    this.svg.addEventListener("pointerleave", () => this.draw());
    $("graphs").append(this.node);
  }

  // With `cursor` the value there is shown instead of the newest.
  draw(cursor) {
    const value = (entry) => (this.key === "drops" ? entry.drops && sum(entry.drops) : entry[this.key]);
    const known = seconds() - shown.history[0].at;
    const minutes = SPANS.find((span) => span * 60 >= known) ?? last(SPANS);
    const x = ({ at }) => 300 - (seconds() - at) * (5 / minutes);
    const used = shown.history.filter((entry) => value(entry) !== undefined);
    const top = niceAbove(Math.max(this.least, ...used.map(value)));
    const y = (n) => 60 - (n / top) * 56;
    this.node.hidden = this.key === "loss" && !used.length; // nobody reports
    if (this.key === "drops") this.drawBars(used, x, y);
    else this.drawLine(used, x, (entry) => y(value(entry)));

    const text = (entry) => (entry ? `${rounded(value(entry))}${this.unit}` : "–");
    const total = used.reduce((all, entry) => all + value(entry), 0);
    const now = this.key === "drops" ? (total ? `${whole(total)} in ${minutes} min` : "none") : text(last(used));
    const near = cursor && used.length ? used.reduce((a, b) => (Math.abs(x(b) - cursor) < Math.abs(x(a) - cursor) ? b : a)) : null;
    this.path("cursor", near ? `M${x(near)} 0V60` : "");
    setText(this.node.querySelector(".title"), near ? clock(Date.now() - (seconds() - near.at) * 1000) : this.title);
    setText(this.node.querySelector(".value"), near ? text(near) : now);
    setText(this.node.querySelector(".from"), `${minutes} min ago`);
    setText(this.node.querySelector(".top"), `0 to ${rounded(top)}${this.unit}`);
    this.svg.setAttribute("aria-label", `${this.title}, the last ${count(minutes, "minute")}. Now: ${now}.`);
  }

  path(name, d) {
    this.svg.querySelector(`.${name}`).setAttribute("d", d);
  }

  // A line and the area under it; broken where nothing was asked for, as while the page was hidden.
  drawLine(used, x, y) {
    const runs = [];
    used.forEach((entry, i) => {
      if (!i || entry.at - used[i - 1].at > 5) runs.push([]);
      last(runs).push(`${x(entry).toFixed(1)} ${y(entry).toFixed(1)}`);
    });
    this.path("bar-0", runs.map((run) => `M${run.join("L")}`).join(""));
    this.path("area", runs.map((run) => `M${run[0].split(" ")[0]} 60L${run.join("L")}V60Z`).join(""));
  }

  // One colour per reason. More than three reasons at once are rare: the rest shares the last colour.
  drawBars(used, x, y) {
    const totals = {};
    for (const { drops } of used) for (const [reason, n] of Object.entries(drops)) totals[reason] = (totals[reason] ?? 0) + n;
    const reasons = Object.keys(totals).sort((a, b) => totals[b] - totals[a]);
    const bars = ["", "", "", ""];
    for (const entry of used) {
      let below = 0;
      reasons.forEach((reason, i) => {
        const n = entry.drops[reason] ?? 0;
        if (n) bars[Math.min(3, i)] += `M${x(entry).toFixed(1)} ${y(below)}V${y(below + n)}`;
        below += n;
      });
    }
    bars.forEach((d, i) => this.path(`bar-${i}`, d));
    const words = reasons.map((reason, i) => element("li", { class: `bar-${Math.min(3, i)}` }, `${reason} ${whole(totals[reason])}`));
    this.node.querySelector("ul").replaceChildren(...words);
  }
}

// A scale of round numbers, that does not jump with each picture.
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 8, 10, 20].map((step) => step * power).find((step) => step >= value * 1.02);
}

const graphs = [
  new Graph("fps", "Pictures per second", " fps", 5),
  new Graph("mbits", "Sent to all", " Mbit/s", 1),
  ...(canDecode ? [new Graph("age", "Age when shown here", " ms", 20)] : []),
  new Graph("loss", "Lost on the way", " %", 1),
  new Graph("drops", "Dropped", "", 2),
];

// The address is the one that this page was opened with: it works from here. Each entry: the line, and what to do with it.
const players = {
  VLC: (url) => [`vlc --network-caching=100 "${url}"`, "Or: Media, Open Network Stream, with the address alone."],
  ffplay: (url) => [`ffplay -fflags nobuffer -flags low_delay -vf setpts=0 "${url}"`],
  mpv: (url) => [`mpv --profile=low-latency --untimed "${url}"`],
  GStreamer: (url) => [
    `gst-launch-1.0 souphttpsrc location="${url}" is-live=true do-timestamp=true ! multipartdemux single-stream=true ! ` +
      "jpegdec ! videoconvert ! autovideosink sync=false",
  ],
  OpenCV: (url) => [`import os
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "fflags;nobuffer"
import cv2

camera = cv2.VideoCapture("${url}", cv2.CAP_FFMPEG)
while True:
    ok, picture = camera.read()
    if not ok:
        break
    cv2.imshow("camera", picture)
    cv2.waitKey(1)`, "Python, with opencv-python."],
  "Home Assistant": (url, still) => [`MJPEG URL:        ${url}
Still image URL:  ${still}`, "Settings, Devices & services, Add integration: MJPEG IP Camera."],
  Frigate: (url, still, name) => [`go2rtc:
  streams:
    ${name}: "ffmpeg:${url}#video=h264"
cameras:
  ${name}:
    ffmpeg:
      inputs:
        - path: rtsp://127.0.0.1:8554/${name}
          input_args: preset-rtsp-restream
          roles: [detect, record]`, "Into Frigate's configuration. It records H.264, which go2rtc makes from the pictures."],
  Address: (url) => [url],
};

function showLine() {
  const link = (file) => new URL(encoded(shown.name) + file, document.baseURI).href;
  const player = $("players").querySelector(":checked").value;
  const [line, note] = players[player](link("/stream.mjpg"), link("/snapshot.jpg"), shown.name);
  setText($("line"), line);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) && "This address works on this machine only.";
  $("line-note").replaceChildren([note, local].filter(Boolean).join(" "));
  const { hostname } = location;
  if (rtspPort) $("line-note").append(" By RTSP: ", element("code", {}, `rtsp://${hostname}:${rtspPort}/${shown.name}`));
  if (shown.status.sdp) $("line-note").append(" For receivers of RTP: ", element("a", { href: link(".sdp"), download: "" }, `${shown.name}.sdp`));
}

for (const name of Object.keys(players)) {
  $("players").append(element("label", {}, element("input", { type: "radio", name: "player", value: name }), element("span", {}, name)));
}
$("players").querySelector("input").checked = true;
$("players").addEventListener("change", showLine);

// navigator.clipboard does not exist on http://camera.local: then the old way, and if that fails too, the text is selected.
$("copy").addEventListener("click", async () => {
  let done = "Copied";
  try {
    await navigator.clipboard.writeText($("line").textContent);
  } catch {
    getSelection().selectAllChildren($("line"));
    if (!document.execCommand("copy")) done = "Selected";
  }
  setText($("copy"), done);
  say(done);
  setTimeout(() => setText($("copy"), "Copy"), 2000);
});

// Each number under the name that docs/counters.md explains.
function fillCounters(status) {
  const inner = (value, name) => Object.entries(value).flatMap(([key, next]) => flat(next, `${name} ${next?.destination ?? key}`));
  const flat = (value, name) => (value && typeof value === "object" ? inner(value, name) : [[name.trim(), value]]);
  const rows = flat(status, "").map(([name, value]) => {
    const text = typeof value === "number" ? whole(value) : String(value ?? "–");
    return element("tr", {}, element("th", { scope: "row" }, name.replaceAll("_", " ")), element("td", {}, text));
  });
  $("counters").replaceChildren(...rows);
}

// ---- What people do

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", paused);
  restream(0);
  refresh();
});
$("retry").addEventListener("click", () => {
  retry();
  restream(0);
});
$("snapshot").addEventListener("click", () => {
  $("snapshot").download = `${shown.name} ${new Date(serverNow() * 1000).toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
});

// iPhones have full screen for films only: there the picture fills the window, until it is touched.
function fullScreen() {
  const fill = () => shown.screen.classList.add("filled");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (shown.screen.requestFullscreen) shown.screen.requestFullscreen().catch(fill);
  else setTimeout(fill); // after the click that asked for it
}
$("full").addEventListener("click", fullScreen);
$("one-screen").addEventListener("dblclick", fullScreen);
$("one-screen").addEventListener("click", () => shown.screen.classList.remove("filled"));

document.addEventListener("keydown", (event) => {
  if (!shown || cameras.size < 2 || document.fullscreenElement || event.altKey || event.ctrlKey || event.metaKey) return;
  const link = { Escape: "all", ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  if (link && !event.target.closest("input, select, pre")) $(link).click();
});
addEventListener("hashchange", () => {
  if (/^#?$|^#\//.test(location.hash)) showRoute();
});
addEventListener("resize", layOut);
$("find").addEventListener("input", layOut);
$("figures").addEventListener("toggle", refreshOne);
document.addEventListener("visibilitychange", () => restream(0));

setInterval(() => {
  if (document.hidden) return;
  refresh();
  watchStream();
}, 250);
poll();
