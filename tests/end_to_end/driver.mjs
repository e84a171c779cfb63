// Drives real browsers for the tests: one JSON object a line comes in, with an id; one goes out, with that id.
//
//     node driver.mjs NODE_MODULES
//
// Chromium is driven by its own protocol and Firefox by WebDriver BiDi, both by puppeteer-core.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const puppeteer = require("puppeteer-core");

const CHROMIUM = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream", "--auto-select-desktop-capture-source=Entire screen",
  "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required",
];
const FIREFOX = {
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "media.peerconnection.ice.loopback": true,
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "media.gmp-manager.updateEnabled": false,
  "app.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

const CLOSE_MILLISECONDS = 10_000;

const browsers = new Map();
const pages = new Map();
let numbers = 0;

const commands = {
  async launch({ browser, executable, preferences }) {
    const options = { executablePath: executable, headless: true, browser };
    if (browser === "firefox") options.extraPrefsFirefox = { ...FIREFOX, ...preferences };
    else options.args = CHROMIUM;
    const number = (numbers += 1);
    browsers.set(number, await puppeteer.launch(options));
    return number;
  },
  async open({ browser, url }) {
    const context = await browsers.get(browser).createBrowserContext();
    const page = await context.newPage();
    const number = (numbers += 1);
    const told = [];
    page.on("console", (message) => told.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => told.push(`uncaught: ${error.stack ?? error}`));
    pages.set(number, { page, context, told });
    await page.setViewport({ width: 1100, height: 700 });
    await page.goto(url);
    return number;
  },
  goto: async ({ page, url }) => void (await pages.get(page).page.goto(url)),
  reload: async ({ page }) => void (await pages.get(page).page.reload()),
  evaluate: ({ page, code }) => pages.get(page).page.evaluate(code),
  async until({ page, code, seconds }) {
    const handle = await pages.get(page).page.waitForFunction(code, { timeout: seconds * 1000, polling: 50 });
    return handle.jsonValue();
  },
  click: async ({ page, selector }) => void (await pages.get(page).page.click(selector)),
  type: async ({ page, selector, text }) => void (await pages.get(page).page.type(selector, text)),
  press: async ({ page, key }) => void (await pages.get(page).page.keyboard.press(key)),
  told: async ({ page }) => pages.get(page).told,
  screenshot: async ({ page, path }) => void (await pages.get(page).page.screenshot({ path })),
  async close({ page }) {
    const { page: closed, context } = pages.get(page);
    pages.delete(page);
    await closed.close({ runBeforeUnload: false });
    await context.close();
  },
};

/** Close a browser; one that doesn't in time is ended, with all its processes. */
async function ended(browser) {
  const program = browser.process();
  const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MILLISECONDS));
  await Promise.race([browser.close().catch(() => {}), late]);
  if (program.exitCode !== null || program.signalCode !== null) return;
  try {
    process.kill(-program.pid, "SIGKILL"); // it leads a group of its own
  } catch {
    // It has ended just now.
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, ...rest } = JSON.parse(line);
  void (async () => {
    let answer;
    try {
      answer = { id, result: (await commands[command](rest)) ?? null };
    } catch (error) {
      answer = { id, error: String(error.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  })();
}
await Promise.all([...browsers.values()].map(ended));
process.exit(0);
