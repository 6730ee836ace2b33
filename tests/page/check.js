// Runs the checks: see `run`.
import { execSync } from "node:child_process";
import { parseArgs } from "node:util";
import { browsers } from "./browsers.js";
import { cameraLeaves, checks, several } from "./checks.js";
import { openPage } from "./look.js";
import { Road } from "./road.js";

const { values: options, positionals: [url] } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string", default: "framewire.local" },
    browser: { type: "string", multiple: true, default: Object.keys(browsers) },
    only: { type: "string", default: "" },
    several: { type: "string" },
    away: { type: "string" },
    leave: { type: "string", default: "true" },
    return: { type: "string", default: "true" },
  },
});

let [done, failed] = [0, 0];

// One check, in tabs and on a road of its own.
async function run(browser, browserName, title, check, target) {
  done += 1;
  const road = await Road.to(target);
  const url = `http://${options.name}:${road.port}/`;
  const pages = [];
  const open = async ({ scheme = "light", ...rest } = {}) => {
    const page = await openPage(browser, "about:blank", rest);
    pages.push(page);
    page.browserName = browserName;
    // Firefox has no such thing for its tests: there it stays light.
    if (browserName === "chromium") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(url);
    return page;
  };
  const command = (text) => async () => execSync(text, { stdio: "inherit" });
  const started = Date.now();
  try {
    await check({ open, road, url, leave: command(options.leave), comeBack: command(options.return) });
    console.log(`ok      ${browserName}: ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${browserName}: ${title}\n        ${error.message.replaceAll("\n", "\n        ")}`);
  }
  for (const page of pages) if (!page.isClosed()) await page.close();
  await road.close();
}

for (const browserName of options.browser) {
  const browser = await browsers[browserName](options.name);
  console.log(await browser.version());
  for (const [title, check] of Object.entries(checks)) {
    if (url && title.includes(options.only)) await run(browser, browserName, title, check, url);
  }
  if (options.several) await run(browser, browserName, "several cameras share a connection, and each opens", several, options.several);
  if (options.away) await run(browser, browserName, "a camera that leaves says so, and comes back", cameraLeaves, options.away);
  await browser.close();
}
console.log(`${done} checks, ${failed} failed`);
if (failed || !done) process.exit(1);
