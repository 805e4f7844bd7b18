"use strict";
// Draws the figures of the page from the JSON in #figures, in place of the still pictures, and reads a confusion matrix under the pointer. Figure, Panel and Line are those of figure.go.
(() => {
	const figures = JSON.parse(document.getElementById("figures").textContent);
	const colours = 7;
	const narrowest = 320, gap = 8; // of .panels in page.css
	const margin = { left: 58, right: 12, top: 26, bottom: 42 };

	const svg = (name, attributes, text) => {
		const e = document.createElementNS("http://www.w3.org/2000/svg", name);
		for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
		if (text !== undefined) e.textContent = text;
		return e;
	};
	const html = (name, properties, ...children) => {
		const e = Object.assign(document.createElement(name), properties);
		e.append(...children);
		return e;
	};
	const number = (v) => v.toLocaleString("en", { maximumFractionDigits: 6 });
	const value = (f, v) => (f.digits < 0 ? String(Number(v.toPrecision(4))) : v.toFixed(f.digits)) + (f.unit ? " " + f.unit : "");

	// The smallest of 1, 2, 5, 10, … that divides a span into at most n parts.
	const niceStep = (span, n) => {
		const base = 10 ** Math.floor(Math.log10(span / n));
		for (const m of [1, 2, 5]) if (base * m * n >= span * (1 - 1e-9)) return base * m;
		return base * 10;
	};
	const linearTicks = (max, n) => {
		const step = niceStep(max, n), list = [];
		for (let i = 0; i * step <= max * (1 + 1e-9); i++) list.push(Number((i * step).toPrecision(10)));
		return list;
	};
	const logTicks = (min, max) => {
		const list = [];
		for (let e = Math.floor(Math.log10(min)); e <= Math.ceil(Math.log10(max)); e++)
			for (const m of [1, 2, 5]) {
				const v = Number((m * 10 ** e).toPrecision(3));
				if (v >= min * (1 - 1e-9) && v <= max * (1 + 1e-9)) list.push(v);
			}
		return list;
	};

	// Each point the mean of up to n measurements around it; fewer at the ends, so that the last point stays the last one.
	const smooth = (points, n) => points.map(([x], i) => {
		const half = Math.min((n - 1) / 2, i, points.length - 1 - i);
		let sum = 0;
		for (let k = i - half; k <= i + half; k++) sum += points[k][1];
		return [x, sum / (2 * half + 1)];
	});

	const markers = [
		(x, y) => svg("circle", { cx: x, cy: y, r: 3 }),
		(x, y) => svg("path", { d: `M${x} ${y - 3.6}l3.6 6.2h-7.2z` }),
		(x, y) => svg("rect", { x: x - 2.8, y: y - 2.8, width: 5.6, height: 5.6 }),
		(x, y) => svg("path", { d: `M${x} ${y - 4}l4 4l-4 4l-4 -4z` }),
		(x, y) => svg("path", { d: `M${x} ${y + 3.6}l3.6 -6.2h-7.2z` }),
	];
	const mark = (line, x, y) => {
		const m = markers[line.marker % markers.length](x, y);
		m.setAttribute("class", `f${line.color % colours}`);
		return m;
	};

	class View {
		constructor(figure, root) {
			this.figure = figure;
			this.hidden = new Set(); // names of groups and parts that are switched off
			this.log = Boolean(figure.log);
			this.window = 1;
			this.live = html("div", { className: "unseen" });
			this.live.setAttribute("aria-live", "polite");
			this.panels = html("div", { className: "panels" });
			const still = root.querySelector(".still");
			this.bar = this.controls();
			still.before(this.bar, this.panels, this.live);
			still.hidden = true;
			this.draw();
			let width = this.panels.clientWidth;
			new ResizeObserver(() => {
				if (this.panels.clientWidth === width) return;
				width = this.panels.clientWidth;
				this.draw();
			}).observe(this.panels);
		}

		// update draws the figure with other lines; what is switched stays.
		update(figure) {
			const names = (f) => JSON.stringify(f.panels.map((p) => p.lines.map((l) => l.name)));
			const others = names(figure) !== names(this.figure);
			this.figure = figure;
			const section = this.panels.closest("section");
			if (section) section.hidden = figure.panels.every((p) => !p.lines.length);
			if (others) {
				const bar = this.controls();
				this.bar.replaceWith(bar);
				this.bar = bar;
			}
			if (!this.panels.matches(":hover")) this.draw(); // who reads a value is not disturbed
		}

		lines(panel) {
			return panel.lines.filter((l) => !this.hidden.has("g " + l.group) && !this.hidden.has("p " + l.part))
				.map((l) => ({ ...l, points: this.window > 1 ? smooth(l.points, this.window) : l.points }));
		}

		controls() {
			const bar = html("div", { className: "controls" });
			const seen = new Set();
			const toggle = (key, label, className, sample) => {
				if (seen.has(key)) return;
				seen.add(key);
				const b = html("button", { type: "button", className }, sample, label);
				b.setAttribute("aria-pressed", String(!this.hidden.has(key)));
				b.addEventListener("click", () => {
					const off = this.hidden.delete(key) ? false : (this.hidden.add(key), true);
					b.setAttribute("aria-pressed", String(!off));
					this.draw();
				});
				bar.append(b);
			};
			const sample = (l, coloured) => {
				const s = svg("svg", { viewBox: "0 0 30 10", "aria-hidden": "true" });
				const path = svg("path", { d: "M0 5H30", class: coloured ? `k${l.color % colours}` : "axis", stroke: "currentColor", "stroke-width": coloured ? l.width + 0.6 : 1.5 });
				if (l.dashed && (!coloured || l.part === "")) path.setAttribute("stroke-dasharray", "5 3");
				s.append(path);
				if (coloured) s.append(mark(l, 15, 5));
				return s;
			};
			const all = this.figure.panels.flatMap((p) => p.lines);
			// A network's sample is its widest line.
			for (const l of all) toggle("g " + l.group, l.group, "group", sample(all.filter((o) => o.group === l.group).sort((a, b) => b.width - a.width)[0], true));
			for (const l of all) if (l.part) toggle("p " + l.part, l.part, "part", sample(l, false));
			const scale = html("button", { type: "button", className: "scale" }, "log axis");
			scale.setAttribute("aria-pressed", String(this.log));
			scale.addEventListener("click", () => {
				this.log = !this.log;
				scale.setAttribute("aria-pressed", String(this.log));
				this.draw();
			});
			if (!this.figure.linear) bar.append(scale);
			if (this.figure.x === "iterations" && this.figure.digits >= 0) {
				const select = html("select", {});
				for (const [n, text] of [[1, "as measured"], [3, "mean of 3 evaluations"], [5, "mean of 5 evaluations"], [9, "mean of 9 evaluations"]])
					select.append(html("option", { value: String(n), selected: n === this.window }, text));
				select.addEventListener("change", () => {
					this.window = Number(select.value);
					this.draw();
				});
				bar.append(html("label", {}, "curves ", select));
			}
			return bar;
		}

		// draw makes the panels as wide as there is room, so that texts keep their size in a narrow window.
		draw() {
			const shown = this.figure.panels.filter((p) => p.lines.length).length;
			const columns = Math.max(1, Math.min(shown, Math.floor((this.panels.clientWidth + gap) / (narrowest + gap))));
			const room = (this.panels.clientWidth - gap * (columns - 1)) / columns;
			this.box = { ...margin, width: Math.min(Math.max(room, 300), 640), height: 330 };
			this.panels.replaceChildren(...this.figure.panels.filter((p) => p.lines.length).map((p) => this.panel(p)));
		}

		panel(panel) {
			const f = this.figure, box = this.box, lines = this.lines(panel);
			const right = box.width - box.right, bottom = box.height - box.bottom;
			const values = this.figure.panels.flatMap((p) => this.lines(p)).flatMap((l) => l.points.map((q) => q[1])).filter((v) => v > 0);
			const log = this.log && values.length > 0; // of nothing there is no logarithm
			const min = log ? Math.min(...values) * 0.9 : 0;
			const max = values.length && (log || f.log) ? Math.max(...values) * 1.05 : f.y_max;
			const x = (v) => box.left + (v / f.x_max) * (right - box.left);
			const y = log
				? (v) => bottom - (Math.log(Math.max(v, min) / min) / Math.log(max / min)) * (bottom - box.top)
				: (v) => bottom - (v / max) * (bottom - box.top);
			const s = svg("svg", { viewBox: `0 0 ${box.width} ${box.height}`, tabindex: "0", role: "img" });
			s.setAttribute("aria-label", `${f.title}${panel.title ? ", " + panel.title : ""}: ${lines.length} lines. Left and right arrow keys read the values.`);
			for (const v of log ? logTicks(min, max) : linearTicks(max, 6)) {
				s.append(svg("path", { class: "grid", d: `M${box.left} ${y(v)}H${right}` }),
					svg("text", { x: box.left - 6, y: y(v) + 4, "text-anchor": "end" }, number(v)));
			}
			for (const v of linearTicks(f.x_max, 4)) {
				s.append(svg("path", { class: "axis", d: `M${x(v)} ${bottom}v5` }), svg("text", { x: x(v), y: bottom + 18, "text-anchor": "middle" }, number(v)));
			}
			s.append(svg("path", { class: "axis", d: `M${box.left} ${box.top}V${bottom}H${right}` }),
				svg("text", { x: (box.left + right) / 2, y: box.height - 6, "text-anchor": "middle" }, f.x),
				svg("text", { transform: `translate(14 ${(box.top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, f.y + (log ? ", log" : "")),
				svg("text", { class: "title", x: (box.left + right) / 2, y: 16 }, panel.title));
			const id = `clip-${f.id}-${f.panels.indexOf(panel)}`;
			const clip = svg("clipPath", { id });
			clip.append(svg("rect", { x: box.left, y: box.top, width: right - box.left + 5, height: bottom - box.top + 5 }));
			const plot = svg("g", { "clip-path": `url(#${id})` });
			s.append(clip, plot);
			for (const l of [...lines].sort((a, b) => b.dashed - a.dashed)) {
				const path = svg("path", { class: `curve k${l.color % colours}`, "stroke-width": l.width * 1.3, "data-name": l.name,
					d: l.points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(2)} ${y(b).toFixed(2)}`).join("") });
				if (l.dashed) path.setAttribute("stroke-dasharray", "5 3");
				plot.append(path);
				if (!l.dashed || l.part === "") {
					const every = Math.max(1, Math.floor(l.points.length / 10));
					l.points.forEach(([a, b], i) => { if ((l.points.length - 1 - i) % every === 0) plot.append(mark(l, x(a), y(b))); });
				}
			}
			for (const m of panel.marks || []) {
				if (m.value > max || m.value < min || this.hidden.has("g " + m.group)) continue;
				const tick = svg("path", { class: `mark k${m.color % colours}`, d: `M${right} ${y(m.value)}h8` });
				tick.append(svg("title", {}, m.name));
				s.append(tick);
			}
			const frame = html("div", { className: "panel" }, s);
			this.reader(frame, s, lines, { x, y, bottom, right });
			return frame;
		}

		// reader shows the values at a place: under the pointer, or where the arrow keys are.
		reader(frame, s, lines, place) {
			const f = this.figure, box = this.box;
			const steps = [...new Set(lines.flatMap((l) => l.points.map((p) => p[0])))].sort((a, b) => a - b);
			if (!steps.length) return;
			const cursor = svg("g", {});
			const tip = html("div", { className: "tip", hidden: true });
			s.append(cursor);
			frame.append(tip);
			let at = -1;
			const hide = () => {
				at = -1;
				cursor.replaceChildren();
				tip.hidden = true;
			};
			const show = (i, speak) => {
				at = i;
				const step = steps[i], rows = [];
				cursor.replaceChildren(svg("path", { class: "cursor", d: `M${place.x(step)} ${box.top}V${place.bottom}` }));
				for (const l of lines) {
					const p = l.points.find((q) => q[0] === step);
					if (!p) continue;
					rows.push([l.name, value(f, p[1]), p[1]]);
					if (place.y(p[1]) >= box.top - 1) cursor.append(mark(l, place.x(step), place.y(p[1])));
				}
				rows.sort((a, b) => b[2] - a[2]);
				const body = html("tbody", {});
				for (const [name, value] of rows) body.append(html("tr", {}, html("td", {}, name), html("td", { className: "number" }, value)));
				const head = f.x === "iterations" ? `iteration ${number(step)}` : `${f.x} ${number(step)}`;
				tip.replaceChildren(html("strong", {}, head), html("table", {}, body));
				tip.hidden = false;
				const left = (place.x(step) / box.width) * frame.clientWidth;
				tip.style.top = "28px";
				tip.style.left = left + tip.offsetWidth + 14 < frame.clientWidth ? `${left + 10}px` : `${Math.max(0, left - tip.offsetWidth - 10)}px`;
				if (speak) this.live.textContent = `${head}: ` + rows.map((r) => r[0] + " " + r[1]).join(", ");
			};
			const nearest = (event) => {
				const r = s.getBoundingClientRect();
				const v = (((event.clientX - r.left) / r.width) * box.width - box.left) / (place.right - box.left) * f.x_max;
				let best = 0;
				steps.forEach((step, i) => { if (Math.abs(step - v) < Math.abs(steps[best] - v)) best = i; });
				return best;
			};
			s.addEventListener("pointermove", (e) => show(nearest(e), false));
			s.addEventListener("pointerleave", hide);
			s.addEventListener("blur", hide);
			s.addEventListener("keydown", (e) => {
				const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? steps.length - 1 : at - 1, Home: 0, End: steps.length - 1 }[e.key];
				if (e.key === "Escape") hide();
				if (to === undefined) return;
				e.preventDefault();
				show(Math.min(Math.max(to, 0), steps.length - 1), true);
			});
		}
	}

	// The page follows the system's theme until the button chooses.
	const theme = html("button", { type: "button", className: "theme" });
	const system = matchMedia("(prefers-color-scheme: dark)");
	const dark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
	const label = () => { theme.textContent = dark() ? "light theme" : "dark theme"; };
	theme.addEventListener("click", () => {
		document.documentElement.dataset.theme = dark() ? "light" : "dark";
		label();
	});
	system.addEventListener("change", label);
	label();
	document.querySelector("main").prepend(theme);

	const views = figures.map((f) => new View(f, document.getElementById("figure-" + f.id)));

	// A live page grows by the events of the training's server: figures after each evaluation, and the means since then as a last point of the training's curves.
	const main = document.querySelector("main");
	if (main.dataset.live) {
		const bar = document.querySelector("#live progress"), line = document.querySelector("#live span");
		let measured = figures, progress = null, waiting = false;
		const now = (f) => {
			const value = progress && { error: progress.error, loss: progress.loss, rate: progress.rate }[f.id];
			if (value === undefined || value === null) return f;
			const part = f.id === "rate" ? null : "training";
			const lines = f.panels[0].lines.map((l) => (part === null || l.name === part) && l.points.at(-1)[0] < progress.step ? { ...l, points: [...l.points, [progress.step, value]] } : l);
			if (!lines.length) lines.push({ name: part || "rate", group: part || "rate", part: "", color: part ? 0 : 4, marker: part ? 0 : 4, width: part ? 0.8 : 1.6, dashed: Boolean(part), points: [[progress.step, value]] });
			const top = Math.max(...lines.flatMap((l) => l.points.map((p) => p[1])));
			return { ...f, x_max: Math.max(f.panels[0].lines.length ? f.x_max : 0, progress.step), y_max: f.panels[0].lines.length ? f.y_max : top * 1.1 || 1, panels: [{ ...f.panels[0], lines }] };
		};
		const show = () => {
			waiting = false;
			for (const view of views) {
				const f = measured.find((m) => m.id === view.figure.id);
				if (f) view.update(now(f));
			}
		};
		// Several events of one moment are drawn once.
		const soon = () => { if (!waiting) { waiting = true; setTimeout(show, 100); } };
		const source = new EventSource(main.dataset.live);
		source.addEventListener("progress", (e) => {
			progress = JSON.parse(e.data);
			bar.max = progress.total;
			bar.value = progress.step;
			line.textContent = progress.text;
			soon();
		});
		source.addEventListener("figures", (e) => {
			measured = JSON.parse(e.data) || measured;
			soon();
		});
		source.addEventListener("end", () => {
			source.close();
			location.reload();
		});
		source.addEventListener("error", () => { line.textContent = "the training does not answer: it has ended, or was stopped"; });
	}

	// A confusion matrix of many classes is a picture of a pixel for each pair: the pair under the pointer is named.
	const map = document.getElementById("confusion-map");
	if (map) {
		const { classes, pairs, images } = JSON.parse(document.getElementById("confusion").textContent);
		const counts = new Map(pairs.map(([label, predicted, n]) => [label * classes.length + predicted, n]));
		const tip = html("div", { className: "tip", hidden: true });
		map.append(tip);
		map.addEventListener("pointermove", (e) => {
			const r = map.querySelector("img").getBoundingClientRect();
			const at = (v, from, size) => Math.floor((v - from) / size * classes.length);
			const label = at(e.clientY, r.top, r.height), predicted = at(e.clientX, r.left, r.width);
			tip.hidden = !(classes[label] && classes[predicted]);
			if (tip.hidden) return;
			const n = counts.get(label * classes.length + predicted) || 0;
			tip.replaceChildren(html("strong", {}, `${n} of ${images[label]}`), html("br"), `${classes[label]} taken for`, html("br"), classes[predicted]);
			const x = e.clientX - r.left, y = e.clientY - r.top;
			tip.style.left = `${Math.max(0, Math.min(x + 12, map.clientWidth - tip.offsetWidth))}px`;
			tip.style.top = `${y + 14}px`;
		});
		map.addEventListener("pointerleave", () => { tip.hidden = true; });
	}
})();
