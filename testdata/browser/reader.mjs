// What the tests of pages share: a browser, pages with all that they ask for and complain about, colours, pictures, and the rules of HTML.
// CHROMIUM is the browser, by default Debian's; SHOTS a folder for pictures.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import path from "node:path";
import { chromium } from "playwright-core";
import { HtmlValidate } from "html-validate";

export const shots = process.env.SHOTS;
let browser;

before(async () => {
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser?.close());

// answers waits for a server that has just been started.
export async function answers(address) {
	for (const end = Date.now() + 60_000; ;) {
		try {
			await fetch(address);
			return;
		} catch (e) {
			if (Date.now() > end) throw e;
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}

// open returns a page with every request and every complaint it made.
export async function open(address, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
	const page = await context.newPage();
	const requests = [], complaints = [];
	page.on("request", (r) => requests.push(r.url()));
	page.on("pageerror", (e) => complaints.push(String(e)));
	page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
	await page.goto(address);
	return { page, context, requests, complaints };
}

// shot takes a picture of a page, or of a part of it where options are {}.
export const shot = async (of, name, options = { fullPage: true }) => { if (shots) await of.screenshot({ path: path.join(shots, name + ".png"), ...options }); };

// The colour that a reader sees behind the text, and of the text: the sum of red, green and blue.
export const colours = (page) => page.evaluate(() => {
	const s = getComputedStyle(document.body);
	return [s.backgroundColor, s.color].map((c) => c.match(/[\d.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0));
});

// fits holds a page to the width of its window.
export async function fits(page) {
	const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
	assert.ok(wide <= seen, `the page is ${wide} pixels wide, the window ${seen}`);
}

// faults lists what is wrong with the HTML of a report.
export async function faults(html) {
	const result = await new HtmlValidate({ extends: ["html-validate:recommended"], rules: {
		"no-inline-style": "off", "require-sri": "off", "long-title": "off", "no-trailing-whitespace": "off",
		"svg-focusable": "off", "prefer-native-element": "off", "attribute-boolean-style": "off", "tel-non-breaking": "off",
	} }).validateString(html);
	return result.results.flatMap((r) => r.messages).filter((m) => m.severity === 2).map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`);
}
