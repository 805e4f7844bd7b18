// Opens the report of a comparison as a reader does. REPORT is its path, FIGURE6 that of one with the paper's networks, SWEEP that of a sweep, DRAWINGS a folder of networks drawn by `models show --svg`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as reader from "./reader.mjs";

const report = path.resolve(process.env.REPORT ?? "report.html");
const { colours, faults, fits, shot } = reader;
const open = (options, file = report) => reader.open(pathToFileURL(file).href, options);
const error = "#figure-error ";
const curves = (page, figure = error) => page.locator(figure + ".panel path.curve");

test("the page is valid HTML", async () => {
	assert.deepEqual((await faults(readFileSync(report, "utf8"))).slice(0, 10), []);
});

test("curves, table and findings are there, and nothing is loaded", async () => {
	const { page, context, requests, complaints } = await open();
	assert.ok((await page.locator("#outcomes tbody tr").count()) >= 2, "a row for each network");
	assert.ok((await page.locator(".findings li").count()) >= 1, "a finding");
	assert.equal(await page.locator(error + ".panel").count(), 2, "plain and residual have a panel each");
	const runs = await page.locator("h2 + details").count();
	assert.equal(await curves(page).count(), 2 * runs, "training and test error of each run");
	assert.equal(await curves(page, "#figure-loss ").count(), 2 * runs);
	assert.ok((await curves(page, "#figure-responses ").count()) >= 2);
	assert.equal(await page.locator(".still:visible").count(), 0, "the still pictures have made room");
	for (const p of await curves(page).all()) {
		const d = await p.getAttribute("d");
		assert.ok(d.length > 10 && !d.includes("NaN"), `the path of ${await p.getAttribute("data-name")}: ${d}`);
	}
	await shot(page, "light");
	assert.deepEqual(requests, [pathToFileURL(report).href], "requests");
	assert.deepEqual(complaints, []);
	await context.close();
});

test("a network can be switched off and on, with the mouse and the keyboard", async () => {
	const { page, context, complaints } = await open();
	const all = await curves(page).count();
	const button = page.locator(error + ".controls button.group").first();
	const name = (await button.textContent()).trim();
	await button.click();
	assert.equal(await button.getAttribute("aria-pressed"), "false");
	const left = await page.locator(error + `.panel path.curve[data-name^="${name}-"]`).count();
	assert.equal(left, 0, `lines of ${name}`);
	assert.ok((await curves(page).count()) < all);
	await button.focus();
	await page.keyboard.press("Enter");
	assert.equal(await curves(page).count(), all);
	const part = page.locator(error + ".controls button.part").first(); // all training errors
	await part.click();
	assert.equal(await curves(page).count(), all / 2);
	assert.deepEqual(complaints, []);
	await context.close();
});

test("hovering and the arrow keys show the values", async () => {
	const { page, context, complaints } = await open();
	const panel = page.locator(error + ".panel").last();
	await panel.scrollIntoViewIfNeeded();
	const box = await panel.locator("svg").boundingBox();
	await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.5);
	const tip = panel.locator(".tip");
	await tip.waitFor({ state: "visible" });
	const hovered = await tip.innerText();
	assert.match(hovered, /iteration [\d,]+/);
	assert.match(hovered, /test\s+\d+\.\d\d %/);
	// What it says is a measurement of the table below.
	const value = hovered.match(/(\S+) test\s+(\d+\.\d\d) %/);
	const cells = await page.locator("details", { hasText: `Measurements of ${value[1]}` }).locator("td").allTextContents();
	assert.ok(cells.includes(value[2]), `${value[0]} is measured`);
	await shot(page, "hover", {});
	await page.mouse.move(0, 0);
	await tip.waitFor({ state: "hidden" });
	await panel.locator("svg").focus();
	await page.keyboard.press("Home");
	const first = await tip.innerText();
	await page.keyboard.press("ArrowRight");
	assert.notEqual(await tip.innerText(), first);
	assert.match(await page.locator(error + "[aria-live]").textContent(), /iteration [\d,]+: .*%/);
	await page.keyboard.press("Escape");
	assert.ok(await tip.isHidden());
	assert.deepEqual(complaints, []);
	await context.close();
});

test("the axis is linear or logarithmic, and smoothing is stated", async () => {
	const { page, context, complaints } = await open();
	const d = () => curves(page).first().getAttribute("d");
	const linear = await d();
	await page.locator(error + ".scale").click();
	assert.notEqual(await d(), linear);
	assert.match(await page.locator(error + ".panel").first().locator("svg").textContent(), /error \(%\), log/);
	await shot(page, "log", {});
	await page.locator(error + ".scale").click();
	assert.equal(await d(), linear);
	await page.locator(error + "select").selectOption("3");
	assert.notEqual(await d(), linear);
	// Of no lines there is no logarithm, and the axis is still drawn.
	const groups = await page.locator(error + ".controls button.group").all();
	for (const button of groups) await button.click();
	await page.locator(error + ".scale").click();
	assert.equal(await curves(page).count(), 0);
	assert.ok((await page.locator(error + ".panel").first().locator("path.grid").count()) > 1);
	assert.deepEqual(complaints, []);
	await context.close();
});

test("light and dark follow the system and the button", async () => {
	for (const scheme of ["light", "dark"]) {
		const { page, context } = await open({ colorScheme: scheme });
		const [back, text] = await colours(page);
		assert.equal(back > text, scheme === "light", `${scheme}: background ${back}, text ${text}`);
		if (scheme === "dark") await shot(page, "dark");
		await page.locator(".theme").click();
		const [back2, text2] = await colours(page);
		assert.equal(back2 > text2, scheme !== "light", "the button turns it round");
		await context.close();
	}
});

test("375 pixels are enough", async () => {
	const { page, context, complaints } = await open({ viewport: { width: 375, height: 700 }, hasTouch: true });
	await fits(page);
	for (const p of await page.locator(".panel").all()) assert.ok((await p.boundingBox()).width <= 375);
	await shot(page, "narrow");
	assert.deepEqual(complaints, []);
	await context.close();
});

test("without scripts the still pictures are shown", async () => {
	const { page, context } = await open({ javaScriptEnabled: false });
	assert.equal(await page.locator(".still:visible svg").count(), await page.locator("figure").count());
	await context.close();
});

test("it prints with light colours and without controls", async () => {
	const { page, context } = await open({ colorScheme: "dark" });
	await page.emulateMedia({ media: "print", colorScheme: "dark" });
	const [back, text] = await colours(page);
	assert.ok(back > text);
	assert.equal(await page.locator(".scale:visible").count(), 0);
	await shot(page, "print");
	await context.close();
});

// The reports of the paper's networks and of a sweep are made beside REPORT; whoever looks at one report alone leaves them out.
const figure6 = process.env.FIGURE6 && path.resolve(process.env.FIGURE6);
const sweep = process.env.SWEEP && path.resolve(process.env.SWEEP);

test("the paper's figure has its three panels, its ticks and its note", { skip: !figure6 }, async () => {
	const { page, context, requests, complaints } = await open({}, figure6);
	const titles = await page.locator(error + ".panel .title").allTextContents();
	assert.deepEqual(titles, ["plain networks", "residual networks", "residual, 110 layers and more"]);
	const panel = (i) => page.locator(error + ".panel").nth(i);
	assert.deepEqual(await Promise.all([0, 1, 2].map((i) => panel(i).locator("path.curve").count())), [8, 10, 4], "two curves of each network, 110 layers twice, plain-110 not at all");
	assert.deepEqual(await Promise.all([0, 1, 2].map((i) => panel(i).locator("path.mark").count())), [0, 5, 2], "the paper's errors at the edge");
	assert.match(await page.locator(error + "figcaption").textContent(), /Not displayed, as in the paper's Fig\. 6: plain110 \(training 65\.00%, test 62\.00%\)/);
	const claims = await page.locator(".findings strong").allTextContents();
	assert.equal(claims.length, 4);
	for (const claim of claims) assert.match(claim, /: reproduced\.$/);
	// Every curve of a training is dashed and thinner than those of testing.
	for (const c of await curves(page).all()) {
		const [name, dashed, width] = await Promise.all(["data-name", "stroke-dasharray", "stroke-width"].map((a) => c.getAttribute(a)));
		assert.equal(dashed !== null, name.endsWith("training"), name);
		assert.equal(Number(width) > 1.5, name.endsWith("test"), `${name}: ${width}`);
	}
	// One button switches a network in both of its panels, with its ticks.
	await page.locator(error + ".controls button.group", { hasText: "resnet110" }).click();
	assert.deepEqual(await Promise.all([1, 2].map((i) => panel(i).locator("path.curve").count())), [8, 2]);
	assert.deepEqual(await Promise.all([1, 2].map((i) => panel(i).locator("path.mark").count())), [4, 1]);
	await shot(page, "figure6");
	assert.deepEqual(requests, [pathToFileURL(figure6).href], "requests");
	assert.deepEqual(complaints, []);
	await context.close();
});

test("the paper's figure fits 375 pixels, light and dark", { skip: !figure6 }, async () => {
	for (const colorScheme of ["light", "dark"]) {
		const { page, context } = await open({ viewport: { width: 375, height: 700 }, colorScheme }, figure6);
		await fits(page);
		const tops = await Promise.all((await page.locator(error + ".panel").all()).map(async (p) => (await p.boundingBox()).y));
		assert.ok(tops[0] < tops[1] && tops[1] < tops[2], "panels stand one below another");
		await shot(page, "figure6-narrow-" + colorScheme);
		await context.close();
	}
});

test("a sweep has a column for its key, and a row and lines for each configuration", { skip: !sweep }, async () => {
	const { page, context, complaints } = await open({}, sweep);
	const head = await page.locator("#outcomes thead th").allTextContents();
	assert.deepEqual(head.slice(0, 2), ["network", "train.schedule.rate"]);
	const rows = await page.locator("#outcomes tbody tr td:nth-child(2)").allTextContents();
	assert.deepEqual(rows, ["0.1", "0.02"]);
	const labels = (await page.locator(error + ".controls button.group").allTextContents()).map((s) => s.trim());
	assert.deepEqual(labels, ["cifar-resnet8 rate=0.1", "cifar-resnet8 rate=0.02"]);
	assert.equal(await curves(page).count(), 8, "two seeds of two configurations, training and test");
	const looks = new Set(await curves(page).evaluateAll((list) => list.map((c) => c.classList[1])));
	assert.equal(looks.size, 2, "a colour for each configuration");
	await shot(page, "sweep");
	assert.deepEqual(complaints, []);
	await context.close();
});

// Texts that are not within their boxes, and boxes whose text does not stand out, in a drawing of a network.
const misfits = (svg) => svg.evaluate((root) => {
	const light = (c) => c.match(/[\d.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0);
	return [...root.querySelectorAll("g")].flatMap((g) => {
		const shape = g.querySelector("rect, circle"), box = shape.getBBox(), fill = light(getComputedStyle(shape).fill);
		return [...g.querySelectorAll("text")].filter((t) => {
			const b = t.getBBox();
			return b.x < box.x || b.x + b.width > box.x + box.width || b.y < box.y - 3 || b.y + b.height > box.y + box.height + 3 || Math.abs(light(getComputedStyle(t).fill) - fill) < 250;
		}).map((t) => t.textContent);
	});
});

test("building blocks are drawn for the networks that have them, light, dark and narrow", async () => {
	for (const colorScheme of ["light", "dark"]) {
		for (const width of [1100, 375]) {
			const { page, context, complaints } = await open({ viewport: { width, height: 700 }, colorScheme });
			assert.deepEqual(await page.locator(".blocks > div > p").allTextContents(), ["plain8, plain14", "resnet8, resnet14"]);
			const svgs = await page.locator(".blocks svg.net").all();
			assert.equal(svgs.length, 4, "within a stage and at its beginning, plain and residual");
			assert.deepEqual(await Promise.all(svgs.map((s) => s.locator(".way.dotted").count())), [0, 0, 0, 2], "the shortcut that enlarges is dotted");
			for (const s of svgs) {
				assert.deepEqual(await misfits(s), []);
				const box = await s.boundingBox();
				assert.ok(box.x + box.width <= width, `${box.x + box.width} of ${width} pixels`);
			}
			await page.locator(".blocks").scrollIntoViewIfNeeded();
			await shot(page.locator(".blocks"), `blocks-${colorScheme}-${width}`, {});
			assert.deepEqual(complaints, []);
			await context.close();
		}
	}
});

const drawings = process.env.DRAWINGS && path.resolve(process.env.DRAWINGS);

test("whole networks are legible drawings", { skip: !drawings }, async () => {
	const files = readdirSync(drawings);
	assert.ok(files.length > 0);
	for (const file of files) {
		for (const colorScheme of ["light", "dark"]) {
			const { page, context, complaints } = await open({ colorScheme }, path.join(drawings, file));
			assert.deepEqual(await misfits(page.locator("svg")), [], file);
			assert.deepEqual(complaints, []);
			await context.close();
		}
	}
});
