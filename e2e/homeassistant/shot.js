// Used by shot.sh, which says what the arguments are. Needs HA_DIR, HA_URL, CHROMIUM and playwright-core.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const { chromium } = require("playwright-core");

const BASE = process.env.HA_URL;
const BROWSER_FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-dev-shm-usage",
  "--disable-background-networking", "--disable-component-update",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

function parse(args) {
  const options = { width: 1280, height: 1600, wait: 1500, click: [], rest: [] };
  while (args.length) {
    const arg = args.shift();
    if (arg === "--click") options.click.push(args.shift());
    else if (["--dark", "--full", "--text"].includes(arg)) options[arg.slice(2)] = true;
    else if (arg.startsWith("--")) options[arg.slice(2)] = Number(args.shift());
    else options.rest.push(arg);
  }
  return options;
}

// Home Assistant's frontend finds these in the browser's storage and takes them for an earlier login.
function logIn([base, token]) {
  localStorage.setItem("hassTokens", JSON.stringify({
    access_token: token, token_type: "Bearer", expires_in: 3e8, expires: Date.now() + 3e11,
    hassUrl: base, clientId: base + "/", refresh_token: "",
  }));
  localStorage.setItem("dockedSidebar", '"always_hidden"');
  localStorage.setItem("selectedLanguage", '"en"');
}

// All text of the page, through shadow roots and slots.
function visibleText() {
  const children = (node) => {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    const slotted = node.nodeName === "SLOT" ? node.assignedNodes() : [];
    return slotted.length ? slotted : node.childNodes;
  };
  const collect = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent;
    if (["STYLE", "SCRIPT"].includes(node.nodeName)) return "";
    return [...children(node)].map(collect).join(" ");
  };
  return collect(document.body).replace(/\s+/g, " ").trim();
}

const loaded = () => !document.getElementById("ha-launch-screen") && Boolean(document.querySelector("home-assistant")?.hass);

// Waits until the page is there and its text has stopped changing for a second, half a minute at most.
async function settle(page) {
  let last = "";
  for (let same = 0, turns = 0; same < 4 && turns < 120; turns++) {
    await page.waitForTimeout(250);
    const text = (await page.evaluate(loaded)) ? await page.evaluate(visibleText) : "";
    same = text.length > 20 && text === last ? same + 1 : 0;
    last = text;
  }
}

async function shoot(context, options) {
  const [location, file] = options.rest;
  const token = fs.readFileSync(path.join(process.env.HA_DIR, "token"), "utf8").trim();
  await context.addInitScript(logIn, [BASE, token]);
  const page = context.pages()[0] || (await context.newPage());
  page.on("pageerror", (error) => console.error("page:", String(error).slice(0, 200)));
  await page.goto(BASE + location, { waitUntil: "domcontentloaded", timeout: 30000 });
  await settle(page);
  for (const text of options.click) {
    await page.getByText(text).first().click({ timeout: 10000 });
    await page.waitForTimeout(800);
  }
  await page.waitForTimeout(options.wait);
  await page.screenshot({ path: file, fullPage: Boolean(options.full) });
  if (options.text) console.log(await page.evaluate(visibleText));
}

async function main() {
  const options = parse(process.argv.slice(2));
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "shot-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM, headless: true, serviceWorkers: "block", args: BROWSER_FLAGS,
    viewport: { width: options.width, height: options.height }, colorScheme: options.dark ? "dark" : "light",
  });
  try {
    await shoot(context, options);
  } finally {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
