// What a person would see on the page.
import assert from "node:assert/strict";

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Until `what` gives something true, or the time is over; then `problem` is the error.
export async function until(what, seconds, problem) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) assert.fail(`${problem}, within ${seconds} s`);
    await pause(100);
  }
}

// A page that remembers what broke in it. `before` runs in it before its own scripts.
export async function openPage(browser, url, { size = [1280, 900], before = "" } = {}) {
  const page = await browser.newPage();
  const [width, height] = size;
  await page.setViewport({ width, height });
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  const watch = 'addEventListener("securitypolicyviolation", (event) => (window.broken ??= []).push(`${event.violatedDirective} ${event.blockedURI}`));';
  await page.evaluateOnNewDocument(`${watch} ${before}`);
  await page.goto(url);
  return page;
}

export const textOf = (page, selector) => page.$eval(selector, (node) => node.textContent);
export const isShown = (page, selector) => page.$eval(selector, (node) => node.checkVisibility());

// A small copy of what a screen shows, or nothing when it shows nothing.
export function picture(page, selector) {
  return page.evaluate((selector) => {
    const shown = document.querySelector(selector);
    if (!shown?.checkVisibility({ visibilityProperty: true }) || !(shown.naturalWidth ?? shown.width)) return null;
    const copy = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
    const context = copy.getContext("2d");
    context.drawImage(shown, 0, 0, copy.width, copy.height);
    const pixels = [...context.getImageData(0, 0, copy.width, copy.height).data];
    return pixels.some((value, i) => i % 4 < 3 && value !== pixels[i % 4]) ? pixels.join() : null; // one colour is no picture
  }, selector);
}

export async function moves(page, selector, seconds = 10) {
  const first = await until(() => picture(page, selector), seconds, `no picture in ${selector}`);
  await until(async () => {
    const now = await picture(page, selector);
    return now && now !== first;
  }, seconds, `the picture in ${selector} stands still`);
}

export async function standsStill(page, selector, ms) {
  const first = await picture(page, selector);
  await pause(ms);
  assert.equal(await picture(page, selector), first, `the picture in ${selector} moves`);
}
