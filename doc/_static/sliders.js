/* The pictures with a slider on the pages for students. No library: SVG drawn from the numbers that skreg computed when
   the site was built. Each picture is an entry of PICTURES; Panel draws axes and curves. */
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  function element(parent, tag, attributes = {}, text = null) {
    const node = parent instanceof SVGElement || tag === "svg" ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== null) node.textContent = text;
    parent.append(node);
    return node;
  }

  /** A number for people: three digits, no exponent, a true minus sign. */
  function show(number, digits = 3) {
    const text = Math.abs(number) < 1e-9 ? "0" : String(Number(number.toPrecision(digits)));
    return (text.includes("e") ? number.toFixed(5) : text).replace("-", "−");
  }

  /** About `count` round numbers in a range. */
  function ticks([low, high], count) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
    return found;
  }

  class Panel {
    /** Axes: x and y are [low, high]; `log` makes x logarithmic; `rows` are names in place of a y axis. */
    constructor(parent, { title, x, y, xlabel, ylabel, log = false, rows = null, height = 300 }) {
      Object.assign(this, { x, y, xlabel, ylabel, log, rows, height });
      this.holder = element(parent, "div", { class: "slider-panel" });
      if (title) element(this.holder, "h4", {}, title);
    }

    clear() {
      this.svg?.remove();
      this.width = Math.max(this.holder.clientWidth, 240);
      this.left = this.rows ? 108 : 52;
      this.inner = [this.left, this.width - 12, this.height - 46, 10]; // left, right, bottom, top
      this.svg = element(this.holder, "svg", { width: this.width, height: this.height, "aria-hidden": "true" });
      const [left, right, bottom, top] = this.inner;
      const clip = `clip-${Panel.count = (Panel.count || 0) + 1}`;
      const box = element(element(element(this.svg, "defs"), "clipPath", { id: clip }), "rect");
      for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) box.setAttribute(name, value);
      const marks = this.log
        ? ticks(this.x.map(Math.log10), Math.abs(Math.log10(this.x[1] / this.x[0]))).map((power) => 10 ** Math.round(power))
        : ticks(this.x, this.width / 80);
      for (const mark of marks) {
        element(this.svg, "line", { class: "grid", x1: this.px(mark), x2: this.px(mark), y1: bottom, y2: top });
        element(this.svg, "text", { x: this.px(mark), y: bottom + 19, "text-anchor": "middle" }, show(mark));
      }
      element(this.svg, "text", { x: (left + right) / 2, y: this.height - 6, "text-anchor": "middle" }, this.xlabel);
      if (this.rows) {
        this.rows.forEach((name, row) =>
          element(this.svg, "text", { x: left - 8, y: this.py(row) + 5, "text-anchor": "end" }, name));
      } else {
        for (const mark of ticks(this.y, 5)) {
          element(this.svg, "line", { class: "grid", x1: left, x2: right, y1: this.py(mark), y2: this.py(mark) });
          element(this.svg, "text", { x: left - 7, y: this.py(mark) + 5, "text-anchor": "end" }, show(mark));
        }
        const middle = (top + bottom) / 2;
        element(this.svg, "text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${middle}) rotate(-90)` }, this.ylabel);
      }
      this.ink = element(this.svg, "g", { "clip-path": `url(#${clip})` });
      this.over = element(this.svg, "g");
      return this;
    }

    px(value) {
      const [low, high] = this.log ? this.x.map(Math.log10) : this.x, at = this.log ? Math.log10(value) : value;
      return this.inner[0] + ((at - low) / (high - low)) * (this.inner[1] - this.inner[0]);
    }

    py(value) {
      const [low, high] = this.rows ? [this.rows.length - 0.5, -0.5] : this.y;
      return this.inner[2] - ((value - low) / (high - low)) * (this.inner[2] - this.inner[3]);
    }

    line(xs, ys, kind) {
      const points = xs.map((x, k) => `${this.px(x).toFixed(2)},${this.py(ys[k]).toFixed(2)}`).join(" ");
      return element(this.ink, "polyline", { class: `line ${kind}`, points });
    }

    dot(x, y, kind, r = 7) {
      return element(this.over, "circle", { class: kind, cx: this.px(x).toFixed(2), cy: this.py(y).toFixed(2), r });
    }

    upright(x, kind = "guide") {
      return element(this.ink, "line", { class: kind, x1: this.px(x), x2: this.px(x), y1: this.inner[2], y2: this.inner[3] });
    }

    bar(row, from, to, kind, part = 0) {
      const [a, b] = [this.px(from), this.px(to)].sort((p, q) => p - q);
      const height = ((this.inner[2] - this.inner[3]) / this.rows.length) * 0.36;
      return element(this.ink, "rect", { class: kind, x: a, width: b - a, y: this.py(row) - height + part * height, height });
    }

    words(x, y, text, anchor = "middle") {
      return element(this.over, "text", { x: this.px(x), y: this.py(y), "text-anchor": anchor, "font-weight": 600 }, text);
    }
  }

  const argmin = (values) => values.reduce((best, value, k) => (value < values[best] ? k : best), 0);
  const range = (values) => [Math.min(...values), Math.max(...values)];

  /* Each picture: key (what the lines mean), steps and start of the slider, name(k) and value(k) of a step, panels,
     draw(k) and say(k). */
  const PICTURES = {
    "why-add"(data, parent) {
      const panel = new Panel(parent, { x: [-2.5, 2.5], y: [-1, 4], xlabel: "weight of body mass", ylabel: "cost", height: 340 });
      const free = data.lowest[data.alpha.indexOf(0)];
      const cost = (weight, alpha) => {
        // The curves are parabolas: three of their points give every other.
        const at = (values) => {
          const [a, b, c] = [0, 50, 100].map((k) => values[k]), t = weight / data.weight[100];
          return b + (t * (c - a)) / 2 + t * t * ((a + c) / 2 - b);
        };
        return at(data.fit) + alpha * at(data.price);
      };
      return {
        key: [["fit", "fit: mean loss"], ["price", "price: alpha × weight² / 2"], ["sum", "their sum: what training makes small"]],
        steps: data.alpha.length, start: data.alpha.indexOf(1), name: "alpha", value: (k) => show(data.alpha[k]),
        panels: [panel],
        draw(k) {
          const alpha = data.alpha[k], lowest = data.lowest[k];
          panel.line(data.weight, data.fit, "fit");
          panel.line(data.weight, data.price.map((one) => alpha * one), "price");
          panel.line(data.weight, data.fit.map((one, j) => one + alpha * data.price[j]), "sum");
          panel.dot(free, cost(free, 0), "before");
          if (lowest === null) panel.words(-0.1, -0.72, "no lowest point");
          else if (Math.abs(lowest) <= 2.5) {
            panel.upright(lowest);
            panel.dot(lowest, cost(lowest, alpha), "lowest");
          } else panel.words(1.3, 3.6, "lowest point out of the picture");
        },
        say(k) {
          const alpha = data.alpha[k], lowest = data.lowest[k];
          if (lowest === null) return "Subtracted beyond the curvature of the fit: the sum falls without end on at least one side. Training would never stop.";
          const place = `The lowest point is at weight ${show(lowest)}, height ${show(cost(lowest, alpha))}.`;
          if (alpha === 0) return `${place} Nothing is added: this is the lowest fit.`;
          if (alpha > 0) return `${place} The sum is higher than the fit alone, and its lowest point is nearer to zero (${show(free)} without the term).`;
          return `${place} Subtracted, the term rewards large weights: the lowest point has moved away from zero (${show(free)} without the term).`;
        },
      };
    },

    "one-weight"(data, parent) {
      const pulls = Object.values(data.penalties).flatMap((path) => path.data.flat());
      const reach = Math.max(...pulls.map(Math.abs)) * 1.04, size = Math.max(...data.free.map(Math.abs)) * 1.08;
      const left = new Panel(parent, { title: "Weights", x: [-size, size], rows: data.names, xlabel: "weight", height: 350 });
      const right = new Panel(parent, { title: "Pulls", x: [-reach, reach], rows: data.names, xlabel: "pull (right: to larger weights)", height: 350 });
      const names = Object.keys(data.penalties);
      return {
        key: [["before", "weight without the penalty"], ["now", "weight with it"], ["data-pull", "pull of the data"], ["penalty-pull", "pull of the penalty"]],
        steps: data.alpha.length, start: 15, name: "alpha", value: (k) => show(data.alpha[k]),
        choice: ["Penalty", names],
        panels: [left, right],
        draw(k, penalty) {
          const path = data.penalties[penalty];
          left.upright(0, "axis");
          right.upright(0, "axis");
          data.names.forEach((_, row) => {
            const weight = path.weight[k][row];
            element(left.ink, "line", { class: "between", x1: left.px(data.free[row]), x2: left.px(weight), y1: left.py(row), y2: left.py(row) });
            left.dot(data.free[row], row, "before", 6);
            left.dot(weight, row, "now", 6);
            right.bar(row, 0, path.data[k][row], "data-pull", 0);
            right.bar(row, 0, path.penalty[k][row], "penalty-pull", 1);
          });
        },
        say(k, penalty) {
          const path = data.penalties[penalty], zeros = path.weight[k].filter((weight) => weight === 0).length;
          const strongest = argmin(path.weight[k].map((weight) => -Math.abs(weight)));
          if (zeros === data.names.length) return `${penalty}: every weight is zero. No pull of the data is strong enough to move one.`;
          return `${penalty}: ${zeros} of ${data.names.length} weights are zero. The largest is that of ${data.names[strongest]}, ${show(path.weight[k][strongest])}: ` +
            `the data pull with ${show(path.data[k][strongest])}, the penalty with ${show(path.penalty[k][strongest])}.`;
        },
      };
    },

    "just-right"(data, parent) {
      const best = argmin(data.new);
      const left = new Panel(parent, { title: "What the model says", x: range(data.grid), y: [-60, 420], xlabel: "body mass index", ylabel: "progression of diabetes" });
      const right = new Panel(parent, { title: "How wrong it is", x: range(data.alpha), y: [0, 1.6], log: true, xlabel: "alpha", ylabel: "squared error / variance of y" });
      return {
        key: [["data", "the 30 patients of the training"], ["fit", "the model"], ["quiet", "error in training"], ["sum", "error on 412 new patients"], ["lowest", "lowest error on new patients"]],
        steps: data.alpha.length, start: 0, name: "alpha", value: (k) => show(data.alpha[k]),
        panels: [left, right],
        draw(k) {
          data.x.forEach((x, j) => left.dot(x, data.y[j], "data", 4));
          left.line(data.grid, data.curve[k], "fit");
          right.line(data.alpha, data.training, "quiet");
          right.line(data.alpha, data.new, "sum");
          right.upright(data.alpha[k]);
          right.dot(data.alpha[best], data.new[best], "lowest");
          right.dot(data.alpha[k], data.training[k], "before");
          right.dot(data.alpha[k], data.new[k], "now");
        },
        say(k) {
          const where = k === best ? "Just right" : k < best ? "Too small: the curve runs after single patients" : "Too large: the curve can hardly bend";
          return `${where}. Error in training ${show(data.training[k], 2)}, on new patients ${show(data.new[k], 2)}.`;
        },
      };
    },

    "when-not"(data, parent) {
      const panel = new Panel(parent, { x: range(data.alpha), y: [0, 1.2], log: true, xlabel: "alpha", ylabel: "error beside the noise", height: 340 });
      return {
        key: [["sum", "error at this number of samples"], ["other", "at the others"], ["lowest", "lowest error"]],
        steps: data.size.length, start: 0, name: "samples", value: (k) => String(data.size[k]),
        panels: [panel],
        draw(k) {
          data.error.forEach((curve, j) => j !== k && panel.line(data.alpha, curve, "other"));
          panel.line(data.alpha, data.error[k], "sum");
          const best = argmin(data.error[k]);
          panel.upright(data.alpha[best]);
          panel.dot(data.alpha[best], data.error[k][best], "lowest");
        },
        say(k) {
          const curve = data.error[k], best = argmin(curve), saved = 1 - curve[best] / curve[0];
          return `With ${data.size[k]} samples the best alpha is ${show(data.alpha[best], 2)}. It saves ${show(100 * saved, 2)} % of the error that is left without a penalty (alpha near 0), which is ${show(curve[0], 2)}.`;
        },
      };
    },
  };

  const SWATCHES = { fit: "line", price: "line", sum: "line", quiet: "line", other: "line", "data-pull": "rect", "penalty-pull": "rect" };

  function keyOf(parent, entries) {
    const list = element(parent, "ul", { class: "slider-key" });
    for (const [kind, text] of entries) {
      const item = element(list, "li"), svg = element(item, "svg", { width: 30, height: 16, "aria-hidden": "true" });
      if (SWATCHES[kind] === "line") element(svg, "polyline", { class: `line ${kind}`, points: "0,8 30,8" });
      else if (SWATCHES[kind] === "rect") element(svg, "rect", { class: kind, x: 4, y: 3, width: 22, height: 10 });
      else element(svg, "circle", { class: kind, cx: 15, cy: 8, r: kind === "data" ? 4 : 6 });
      element(item, "span", {}, text);
    }
  }

  function build(root) {
    const data = JSON.parse(root.querySelector("script").textContent);
    const top = element(root, "div"), panels = element(root, "div", { class: "slider-panels" });
    const picture = PICTURES[root.dataset.slider](data, panels);
    keyOf(top, picture.key);
    let chosen = null;
    if (picture.choice) {
      const [title, names] = picture.choice, set = element(top, "fieldset");
      element(set, "legend", {}, title);
      chosen = names[0];
      for (const name of names) {
        const label = element(set, "label"), input = element(label, "input", { type: "radio", name: `${root.id}-choice`, value: name });
        input.checked = name === chosen;
        label.append(name);
        input.addEventListener("change", () => { chosen = name; update(); });
      }
    }
    const control = element(root, "div", { class: "slider-control" });
    const label = element(control, "label", { for: `${root.id}-input` }, `${picture.name} = `), value = element(label, "b");
    const input = element(control, "input", { type: "range", id: `${root.id}-input`, min: 0, max: picture.steps - 1, step: 1 });
    input.value = picture.start; // after min and max: a value beyond 100 would be cut
    const output = element(root, "output", { for: input.id, "aria-live": "polite" });

    function update() {
      const step = Number(input.value);
      for (const panel of picture.panels) panel.clear();
      picture.draw(step, chosen);
      value.textContent = picture.value(step);
      input.setAttribute("aria-valuetext", `${picture.name} = ${picture.value(step)}`);
      output.textContent = picture.say(step, chosen);
    }

    input.addEventListener("input", update);
    let width = null;
    new ResizeObserver(() => { if (width !== root.clientWidth) { width = root.clientWidth; update(); } }).observe(root);
  }

  document.querySelectorAll("[data-slider]").forEach(build);
})();
