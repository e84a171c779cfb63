// Drives real browsers for the tests: one JSON object a line comes in, with an id; one goes out, with that id.
//
//     node driver.mjs NODE_MODULES
//
// Chromium is driven by its own protocol and Firefox by WebDriver BiDi, both by puppeteer-core.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const puppeteer = require("puppeteer-core");

const CHROMIUM = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream", "--auto-select-desktop-capture-source=Entire screen",
  "--no-proxy-server", "--host-resolver-rules=MAP elsewhere.example 127.0.0.1",
  "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required",
];
const FIREFOX = {
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "media.peerconnection.ice.loopback": true,
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "network.dns.localDomains": "elsewhere.example",
  "network.proxy.type": 0,
  "media.gmp-manager.updateEnabled": false,
  "app.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

const CLOSE_MILLISECONDS = 10_000;

const browsers = new Map();
const pages = new Map();
const sessions = new Map();
let numbers = 0;

async function opened(context, url) {
  const page = await context.newPage();
  const number = (numbers += 1);
  const told = [];
  page.on("console", (message) => told.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => told.push(`uncaught: ${error.stack ?? error}`));
  pages.set(number, { page, context, told });
  await page.setViewport({ width: 1100, height: 700 });
  await page.goto(url);
  return number;
}

// Send a signal to every process of a browser; its helpers are not all in its group.
function signal(browser, name) {
  const children = new Map();
  for (const pid of readdirSync("/proc").filter((entry) => /^[0-9]+$/.test(entry))) {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1];
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It has ended just now.
    }
  }
  const all = (pid) => [pid, ...(children.get(pid) ?? []).flatMap(all)];
  for (const pid of all(String(browser.process().pid))) {
    try {
      process.kill(Number(pid), name);
    } catch (error) {
      if (error.code !== "ESRCH") throw error; // else it has ended just now
    }
  }
}

const commands = {
  async launch({ browser, executable, without, besides, prefs }) {
    const options = { executablePath: executable, headless: true, browser };
    if (browser === "firefox") options.extraPrefsFirefox = { ...FIREFOX, ...prefs };
    else options.args = CHROMIUM.filter((one) => !without.some((beginning) => one.startsWith(beginning))).concat(besides);
    const number = (numbers += 1);
    browsers.set(number, await puppeteer.launch(options));
    return number;
  },
  async open({ browser, url }) {
    return opened(await browsers.get(browser).createBrowserContext(), url);
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
  // The lid is closed: no process of the browser runs until it is opened again.
  stop: ({ browser }) => signal(browsers.get(browser), "SIGSTOP"),
  go: ({ browser }) => signal(browsers.get(browser), "SIGCONT"),
  // Another tab of the same profile.
  async beside({ page, url }) {
    const { context } = pages.get(page);
    return opened(context, url);
  },
  before: async ({ page, code }) => void (await pages.get(page).page.evaluateOnNewDocument(code)),
  // Chromium alone: what its user says when a page asks for `name`, "camera" say.
  async permission({ page, name, setting }) {
    const { page: asked, context } = pages.get(page);
    sessions.set(page, sessions.get(page) ?? (await asked.createCDPSession())); // what it sets ends with it
    const origin = new URL(asked.url()).origin;
    const asWhom = { origin, browserContextId: context.id };
    await sessions.get(page).send("Browser.setPermission", { permission: { name }, setting, ...asWhom });
  },
  // Chromium alone: "frozen", as it does with tabs that nobody looks at, or "active".
  async lifecycle({ page, state }) {
    sessions.set(page, sessions.get(page) ?? (await pages.get(page).page.createCDPSession()));
    await sessions.get(page).send("Page.setWebLifecycleState", { state });
  },
  front: async ({ page }) => void (await pages.get(page).page.bringToFront()),
  offline: async ({ page, isOffline }) => void (await pages.get(page).page.setOfflineMode(isOffline)),
  viewport: async ({ page, ...size }) => void (await pages.get(page).page.setViewport(size)),
  colours: async ({ page, scheme }) =>
    void (await pages.get(page).page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }])),
  back: async ({ page }) => void (await pages.get(page).page.goBack()),
  async tells({ page, line, seconds }) {
    const end = Date.now() + seconds * 1000;
    while (!pages.get(page).told.includes(line)) {
      if (Date.now() > end) throw new Error(`it doesn't tell ${line}; ${pages.get(page).told}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
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
