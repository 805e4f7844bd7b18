// Watches a training on its live page. RESNET is the program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fits, open, shot } from "./reader.mjs";

const program = process.env.RESNET && path.resolve(process.env.RESNET);

// train starts a training and returns the address of its page, what it says, and a promise of its exit status.
async function train(...flags) {
	const dir = mkdtempSync(path.join(os.tmpdir(), "live-"));
	const child = spawn(program, ["train", "--config", "quickstart", "--set", "model.depth=14", "--set", "train.epochs=9", "--set", "train.schedule.drop.at_epochs=[2]",
		"--set", "eval.every_epochs=0", "--set", "eval.every=26", "--run", path.join(dir, "run"), ...flags]);
	let said = "";
	const done = new Promise((resolve) => child.on("close", resolve));
	const address = new Promise((resolve, reject) => {
		child.stderr.on("data", (b) => {
			said += b;
			const m = said.match(/Live: (http:\S+)/);
			if (m) resolve(m[1]);
		});
		child.on("close", () => reject(new Error(said)));
	});
	return { child, dir, done, address, said: () => said };
}

const curve = (figure, name) => `#figure-${figure} .panel path.curve[data-name="${name}"]`;
const length = (page, figure, name) => page.locator(curve(figure, name)).evaluate((p) => p.getAttribute("d").split(/[ML]/).length - 1);
const grows = (page, figure, name, from) => page.waitForFunction(([c, n]) => document.querySelector(c)?.getAttribute("d").split(/[ML]/).length - 1 > n, [curve(figure, name), from]);

test("the curves grow while it trains, and the page ends as the run's", { skip: !program, timeout: 300_000 }, async () => {
	const training = await train("--live=127.0.0.1:0");
	const address = await training.address;
	const { page, context, requests, complaints } = await open(address);
	await page.waitForFunction(() => document.querySelector("#live progress")?.value > 0);
	assert.match(await page.locator("#live span").textContent(), /^step [\d,]+ of 702, epoch [\d.]+, loss [\d.]+, error [\d.]+%, rate [\d.]+, \d+ images\/s, left /);
	await page.locator('#figure-error .panel path.curve[data-name="test"]').waitFor();
	const [steps, points, learning] = [await page.evaluate(() => document.querySelector("#live progress").value), await length(page, "error", "test"), await length(page, "loss", "training")];
	await shot(page, "live");
	// Each comes with an event of its own: on a busy machine one of them comes later than the others.
	await page.waitForFunction((n) => document.querySelector("#live progress").value > n, steps);
	await grows(page, "error", "test", points);
	await grows(page, "loss", "training", learning);
	// It ends: the page is fetched once more, and is whole.
	await page.locator("h2", { hasText: "What it gets wrong" }).waitFor();
	await page.locator("table.matrix").waitFor({ timeout: 200_000 });
	assert.equal(await page.locator("#live").count(), 0);
	assert.equal(await page.locator(".card").count() > 0, true, "the worst images");
	assert.equal(await training.done, 0, training.said());
	assert.deepEqual(requests.filter((r) => !r.startsWith(address) && !r.startsWith("data:")), [], "no request leaves the machine");
	assert.deepEqual(complaints, []);
	await assert.rejects(fetch(address), "the server has stopped");
	await context.close();
});

test("a live page is narrow and dark, and says when the training was stopped", { skip: !program, timeout: 300_000 }, async () => {
	const training = await train("--live=127.0.0.1:0");
	const { page, context } = await open(await training.address, { viewport: { width: 375, height: 700 }, colorScheme: "dark" });
	await page.waitForFunction(() => document.querySelector("#live progress")?.value > 5);
	await fits(page);
	await shot(page, "live-narrow", {});
	training.child.kill("SIGKILL");
	await page.waitForFunction(() => /does not answer/.test(document.querySelector("#live span").textContent));
	await context.close();
});

test("a port that is taken is an error before any work", { skip: !program, timeout: 60_000 }, async () => {
	const first = await train("--live=127.0.0.1:0");
	const address = await first.address;
	const second = await train("--live=" + new URL(address).host);
	await assert.rejects(second.address, /--live=.*address already in use: give another port/);
	assert.equal(await second.done, 74);
	first.child.kill("SIGKILL");
});
