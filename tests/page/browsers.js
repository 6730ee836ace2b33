// The two browsers, each with a name that leads to this machine: a page by http:// under a name is no secure context, as at a user's.
import puppeteer from "puppeteer-core";

const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// What Firefox calls them in its preferences; a page's colours are the browser's there, not the tab's.
const SCHEMES = { dark: 0, light: 1 };

export const browsers = {
  chromium: (name) =>
    puppeteer.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Chromium's own sandbox does not work as root, and a container has no GPU.
      args: ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=MAP ${name} 127.0.0.1`, ...QUIET],
    }),
  firefox: (name, scheme) =>
    puppeteer.launch({
      browser: "firefox",
      executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
      extraPrefsFirefox: {
        "network.dns.localDomains": name,
        "layout.css.prefers-color-scheme.content-override": SCHEMES[scheme],
      },
    }),
};
