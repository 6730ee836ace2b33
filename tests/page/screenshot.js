// Takes a picture of the page: see `screenshot`.
import { browsers } from "./browsers.js";
import { moves, openPage, pause } from "./look.js";
import { Road } from "./road.js";

const [url, file] = process.argv.slice(2);
const name = "framewire.local";
const road = await Road.to(url, 80);
const browser = await browsers.chromium(name);
const page = await openPage(browser, `http://${name}/`, { size: [1280, 800] });
await moves(page, ".screen canvas");
await pause(58_000);
await page.screenshot({ path: file });
await browser.close();
await road.close();
