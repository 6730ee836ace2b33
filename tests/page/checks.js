// What is true of the page with one camera that delivers (`framewire demo`). Each check gets its own tab.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isShown, moves, pause, picture, standsStill, textOf, until } from "./look.js";
import { PANEL } from "./panel.js";

const CANVAS = "#one-screen canvas";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const streamsEnd = (road, why) => until(() => road.streams().length === 0, 5, `the stream goes on ${why}`);
const streamsAre = (road, number) => until(() => road.streams().length === number, 10, `not ${number} streams`);

async function isWell(page) {
  const broken = await page.evaluate("window.broken ?? []");
  assert.deepEqual([...page.problems, ...broken], [], "errors in the page, or against its policy");
}

// The rules of WCAG that a program can check: names, roles, contrast, order.
async function keepsNobodyOut(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 100)).join(" ")}`);
  assert.deepEqual(found, [], where);
}

// Another tab in front, for so long; the browser itself hides the page.
async function hideFor(page, during) {
  const other = await page.browser().newPage();
  await other.bringToFront();
  await until(() => page.evaluate("document.hidden"), 5, "the tab is not hidden");
  await during();
  await other.close();
  await page.bringToFront();
}

export const checks = {
  async "the picture moves, on a page that is no secure context"({ open }) {
    const page = await open();
    assert.equal(await page.evaluate("isSecureContext"), false);
    await moves(page, CANVAS);
    await isWell(page);
  },

  async "state, pictures per second and age are there, and counters count"({ open }) {
    const page = await open();
    await until(async () => /\d+ × \d+ · [1-9]\d*\.\d fps · \d+ ms old/.test(await textOf(page, "#one-facts")), 10, "no figures below the picture");
    await until(async () => (await textOf(page, "#one-state")) === "streaming", 5, "the state is not streaming");
    assert.equal(await textOf(page, "#summary"), "1 camera: streaming");
    const age = Number(/(\d+) ms old/.exec(await textOf(page, "#one-facts"))[1]);
    assert.ok(age < 2000, `${age} ms is no age of a live picture`);
    await page.click("#figures summary");
    const captured = () => page.$$eval("#counters tr", (rows) => rows.find((row) => row.textContent.startsWith("frames captured"))?.lastChild.textContent);
    const first = await until(captured, 5, "no counter of captured frames");
    await until(async () => (await captured()) !== first, 5, "the counter of captured frames stands still");
    await isWell(page);
  },

  async "the graphs draw lines that go on"({ open }) {
    const page = await open();
    const lines = () => page.$$eval("figure", (all) => Object.fromEntries(all.map((graph) => [graph.querySelector(".title").textContent, graph.querySelector(".bar-0").getAttribute("d")])));
    const titles = ["Pictures per second", "Sent to all", "Age when shown here"];
    const first = await until(async () => {
      const now = await lines();
      return titles.every((title) => /^M[\d.]+ [\d.]+L/.test(now[title])) && now;
    }, 10, "no lines in the graphs");
    await pause(2500);
    const now = await lines();
    for (const title of titles) assert.ok(now[title].split("L").length > first[title].split("L").length, `the graph '${title}' does not grow`);
    const values = await page.$$eval("figure .value", (all) => all.map((value) => value.textContent));
    assert.ok(parseFloat(values[0]) > 1 && parseFloat(values[1]) > 0.1 && parseFloat(values[2]) >= 0, `odd values: ${values}`);
  },

  async "the lines for other programs have this address, and can be copied"({ open, url }) {
    const page = await open();
    const name = await until(() => textOf(page, "#one-name"), 10, "no camera");
    const names = await page.$$eval("#players label", (all) => all.map((label) => label.textContent));
    assert.deepEqual(names, ["VLC", "ffplay", "mpv", "GStreamer", "OpenCV", "Home Assistant", "Frigate", "Address"]);
    for (const [i, program] of names.entries()) {
      await page.click(`#players label:nth-of-type(${i + 1})`);
      const line = await textOf(page, "#line");
      assert.ok(line.includes(`${url}${name}/stream.mjpg`), `${program}: ${line}`);
    }
    const { rtsp } = await page.evaluate("fetch('api/status').then((answer) => answer.json())");
    const note = await textOf(page, "#line-note");
    const players = `rtsp://${new URL(url).hostname}:${rtsp.port}/${name}`;
    assert.ok(note.includes(players), `no ${players}: ${note}`);
    await page.click("#copy");
    await until(async () => /^(Copied|Selected)$/.test(await textOf(page, "#copy")), 5, "the button to copy says nothing");
    assert.equal(await page.evaluate("String(getSelection())"), await textOf(page, "#line"), "the text is not selected");
  },

  async "the snapshot is a picture"({ open }) {
    const page = await open();
    await until(() => textOf(page, "#one-name"), 10, "no camera");
    const [type, first] = await page.evaluate(async () => {
      const answer = await fetch(document.getElementById("snapshot").href);
      return [answer.headers.get("content-type"), [...new Uint8Array(await answer.arrayBuffer()).subarray(0, 2)]];
    });
    assert.equal(type, "image/jpeg");
    assert.deepEqual(first, [0xff, 0xd8]);
  },

  async "one connection brings the pictures; it ends while the tab is hidden"({ open, road }) {
    const page = await open();
    await moves(page, CANVAS);
    await streamsAre(road, 1);
    await hideFor(page, async () => {
      await streamsEnd(road, "in a hidden tab");
      await pause(500);
      const before = road.octets;
      await pause(2500);
      assert.equal(road.octets, before, "octets come to a hidden tab");
    });
    await streamsAre(road, 1);
    await moves(page, CANVAS);
  },

  async "the stream ends while the picture is scrolled away"({ open, road }) {
    const page = await open({ size: [390, 500] });
    await moves(page, CANVAS);
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    await streamsEnd(road, "when nothing of the picture can be seen");
    await page.evaluate("scrollTo(0, 0)");
    await moves(page, CANVAS);
  },

  async "Pause stops the picture and the stream, by keyboard"({ open, road }) {
    const page = await open();
    await moves(page, CANVAS);
    await page.focus("#pause");
    await page.keyboard.press("Enter");
    await streamsEnd(road, "although the page is paused");
    await standsStill(page, CANVAS, 700);
    assert.match(await textOf(page, "#one-facts"), /paused/);
    await page.keyboard.press("Enter");
    await moves(page, CANVAS);
  },

  async "the page says when the server is gone, and goes on when it is back"({ open, road }) {
    const page = await open();
    await moves(page, CANVAS);
    await road.close();
    await until(() => isShown(page, "#trouble"), 8, "nothing says that the server is gone");
    await until(async () => /does not answer.*Since .*Trying/.test(await textOf(page, "#trouble")), 5, "no words for it");
    await until(async () => /grayscale\(1\)/.test(await page.$eval(CANVAS, (canvas) => getComputedStyle(canvas).filter)), 3, "the last picture is not greyed");
    assert.equal(await page.$eval("#one-state", (node) => getComputedStyle(node).visibility), "hidden", "a state that nobody knows is shown");
    await road.open();
    await moves(page, CANVAS, 20);
    await until(async () => !(await isShown(page, "#trouble")), 10, "it still says that the server is gone");
    await isWell(page);
  },

  async "a connection that died without a word is opened anew"({ open, road }) {
    const page = await open();
    await moves(page, CANVAS);
    road.jam();
    await pause(1000); // what was on its way still arrives
    await standsStill(page, CANVAS, 500);
    await moves(page, CANVAS, 20);
  },

  async "a browser without createImageBitmap shows an <img>, and closes it when hidden"({ open, road }) {
    const page = await open({ before: "delete window.createImageBitmap; delete Array.prototype.at;" });
    await until(() => picture(page, "#one-screen img"), 10, "no picture in the <img>");
    if (page.browserName === "chromium") await moves(page, "#one-screen img"); // Firefox gives a canvas the first picture only
    await streamsAre(road, 1);
    assert.match(road.streams()[0], /\/stream\.mjpg$/);
    await hideFor(page, () => streamsEnd(road, "in a hidden tab"));
    await streamsAre(road, 1);
    await until(() => picture(page, "#one-screen img"), 10, "no picture in the <img>");
    await isWell(page);
  },

  async "full screen is full, also where a browser has none"({ open }) {
    for (const before of ["", "delete Element.prototype.requestFullscreen;"]) {
      const page = await open({ size: [844, 390], before });
      await moves(page, CANVAS);
      await page.click("#full");
      const size = () => page.$eval(".screen", (screen) => [innerWidth - screen.clientWidth, innerHeight - screen.clientHeight].join());
      await until(async () => (await size()) === "0,0", 5, "the picture does not fill the screen");
      await moves(page, CANVAS);
      await page.evaluate("document.fullscreenElement ? document.exitFullscreen() : document.querySelector('.screen').click()");
      await until(async () => (await size()) !== "0,0", 5, "full screen does not end");
      await page.close();
    }
  },

  async "the page fits a phone"({ open }) {
    const page = await open({ size: [390, 844] });
    await moves(page, CANVAS);
    const [width, room] = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    assert.ok(width <= room, `the page is ${width} pixels wide, in ${room}`);
  },

  async "controls are set by keyboard, kept and taken back, and a refusal is words"({ open }) {
    const page = await open({ before: PANEL });
    await until(() => isShown(page, "#controls"), 10, "no controls");
    const last = () => page.evaluate("JSON.stringify(asked.at(-1) ?? null)");
    const asked = async (body, problem) => {
      const isAsked = until(async () => (await last()) === JSON.stringify(body), 5, problem);
      await isAsked.catch(async (error) => assert.fail(`${error.message}: ${await last()}`));
    };
    assert.equal(await page.$eval("label[for=knob-exposure_time_absolute]", (label) => label.textContent), "Exposure time absolute");
    const isDisabled = (selector) => page.$eval(selector, (node) => node.disabled);
    assert.ok(await isDisabled("#keep"), "there is something to keep from the start");
    await page.focus("#knob-brightness");
    for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
    await asked({ controls: { brightness: 143 } }, "the slider's value is not sent");
    assert.equal(await textOf(page, "#knob-brightness + output"), "143");
    await page.focus("#knob-white_balance_automatic");
    await page.keyboard.press(" ");
    await asked({ controls: { white_balance_automatic: 0 } }, "the box is not sent");
    assert.ok(await isDisabled("#knob-exposure_time_absolute"), "what another control decides can be set");
    await page.select("#knob-auto_exposure", "1");
    await asked({ controls: { auto_exposure: 1 } }, "the menu's entry is not sent");
    await until(async () => !(await isDisabled("#knob-exposure_time_absolute")), 5, "what is free now cannot be set");
    await page.focus("#keep");
    await page.keyboard.press("Enter");
    await asked({ controls: { brightness: 143, white_balance_automatic: 0, auto_exposure: 1 }, keep: true }, "not what was changed is kept");
    await until(async () => /^kept/.test(await textOf(page, "#knob-brightness-mark")), 5, "nothing says that it is kept");
    assert.ok(await isDisabled("#keep"), "there is still something to keep");
    await page.focus("#knob-sharpness");
    await page.keyboard.press("ArrowRight");
    await until(async () => /does not take it/.test(await textOf(page, "#controls-note")), 5, "a refusal is not told");
    await until(async () => (await page.$eval("#knob-sharpness", (node) => node.value)) === "24", 5, "the slider shows what the camera refused");
    await page.focus("#knob-hue");
    await page.keyboard.press("ArrowLeft");
    await asked({ controls: { hue: -1 } }, "the slider's value is not sent");
    await page.click("#unkeep");
    await asked({ controls: { hue: 0 } }, "what was set and not kept stays");
    await until(async () => (await textOf(page, "#knob-brightness + output")) === "140", 5, "config.toml does not count again");
    await until(() => isDisabled("#unkeep"), 5, "there is still something to take back");
    await isWell(page);
  },

  async "without users there are no controls"({ open }) {
    const page = await open();
    await moves(page, CANVAS);
    assert.ok(!(await isShown(page, "#controls")), "controls are shown that nobody may set");
  },

  async "axe finds nothing that keeps people out, in light and in dark"({ open }) {
    for (const scheme of ["light", "dark"]) {
      const page = await open({ scheme, before: PANEL });
      const isInForce = await page.evaluate(`matchMedia("(prefers-color-scheme: ${scheme})").matches`);
      assert.ok(isInForce, `the page is not ${scheme}`);
      await moves(page, CANVAS);
      await until(() => isShown(page, "#controls"), 10, "no controls");
      await page.click("#figures summary");
      await keepsNobodyOut(page, scheme);
      await page.close();
    }
  },
};

// Of a page with two cameras or more.
export async function several({ open, road }) {
  const page = await open();
  const names = await until(async () => {
    const found = await page.$$eval(".tile h2", (all) => all.map((name) => name.textContent));
    return found.length > 1 && found;
  }, 10, "fewer than two cameras");
  for (const i of [1, 2]) await moves(page, `.tile:nth-child(${i}) canvas`);
  const asked = () => new URL(road.streams()[0] ?? "", "http://x").searchParams.getAll("camera");
  await streamsAre(road, 1);
  assert.deepEqual(asked(), names);
  await keepsNobodyOut(page, "all cameras");
  await page.click(".tile:nth-child(2)");
  await moves(page, CANVAS);
  assert.equal(await textOf(page, "#one-name"), names[1]);
  // The road sees the end of the old one a moment later.
  await streamsAre(road, 1);
  await until(() => asked().join() === names[1], 5, "the other cameras still stream");
  await page.keyboard.press("ArrowLeft");
  await until(async () => (await textOf(page, "#one-name")) === names[0], 5, "the left arrow does not lead to the camera before");
  await page.keyboard.press("Escape");
  await moves(page, ".tile:nth-child(1) canvas");
  assert.equal(await page.evaluate("document.activeElement.textContent"), names[0], "the focus is lost");
  await isWell(page);
}

// Of a page of which one camera goes away and comes back, by itself or by the commands `leave` and `comeBack`.
export async function cameraLeaves({ open, leave, comeBack }) {
  const page = await open({ size: [1280, 900] });
  await until(() => page.$(".screen"), 10, "no camera");
  const canvas = ".screen.seen canvas";
  const away = () => page.$$eval(".state.bad", (all) => all.some((state) => state.textContent.startsWith("away") && state.checkVisibility()));
  await until(async () => !(await away()), 60, "the camera is away from the start");
  await moves(page, canvas);
  await leave();
  await until(away, 60, "the camera does not go away");
  const cover = await until(() => page.$$eval(".cover", (all) => all.find((cover) => cover.checkVisibility() && cover.textContent.startsWith("Away"))?.textContent), 5, "no words over the picture");
  assert.match(cover, /^Away since .+\((\d+ \w+)\).{5}/, "since when, and why");
  await until(() => page.$$eval(".screen.old.seen canvas", (all) => all.some((canvas) => getComputedStyle(canvas).filter === "grayscale(1)")), 3, "the last picture is not greyed");
  assert.match(await page.title(), /^\(1 away\)/);
  await comeBack();
  await until(async () => !(await away()), 60, "the camera does not come back");
  await until(async () => !(await page.$$eval(".cover", (all) => all.some((cover) => cover.checkVisibility()))), 10, "words stay over the picture");
  await moves(page, canvas);
}
