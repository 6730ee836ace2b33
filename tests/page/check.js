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

// Browsers of one kind, of which each that is asked for is started once: by their colours, where tabs cannot choose.
class Started {
  constructor(name) {
    this.name = name;
    this.byScheme = {};
  }

  get choosesInTabs() {
    return this.name === "chromium";
  }

  async with(scheme) {
    const key = this.choosesInTabs ? "any" : scheme;
    return (this.byScheme[key] ??= await browsers[this.name](options.name, scheme));
  }

  async close() {
    for (const browser of Object.values(this.byScheme)) await browser.close();
  }
}

// One check, in tabs and on a road of its own.
async function run(started, title, check, target) {
  done += 1;
  const road = await Road.to(target);
  const url = `http://${options.name}:${road.port}/`;
  const pages = [];
  const open = async ({ scheme = "light", ...rest } = {}) => {
    const page = await openPage(await started.with(scheme), "about:blank", rest);
    pages.push(page);
    page.browserName = started.name;
    if (started.choosesInTabs) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(url);
    return page;
  };
  const command = (text) => async () => execSync(text, { stdio: "inherit" });
  const began = Date.now();
  try {
    await check({ open, road, url, leave: command(options.leave), comeBack: command(options.return) });
    console.log(`ok      ${started.name}: ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${started.name}: ${title}\n        ${error.message.replaceAll("\n", "\n        ")}`);
  }
  for (const page of pages) if (!page.isClosed()) await page.close();
  await road.close();
}

for (const browserName of options.browser) {
  const started = new Started(browserName);
  console.log(await (await started.with("light")).version());
  for (const [title, check] of Object.entries(checks)) {
    if (url && title.includes(options.only)) await run(started, title, check, url);
  }
  if (options.several) await run(started, "several cameras share a connection, and each opens", several, options.several);
  if (options.away) await run(started, "a camera that leaves says so, and comes back", cameraLeaves, options.away);
  await started.close();
}
console.log(`${done} checks, ${failed} failed`);
if (failed || !done) process.exit(1);
