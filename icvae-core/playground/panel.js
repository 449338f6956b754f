// The playground's panel: a pad to draw on, and what a model makes of the drawing. Everything runs here.
// What a notebook brings is numbers and words; they are checked before anything is made of them.
(() => {
  "use strict";
  const PAGE = 65536, MOST = 64e6, UNFIT = "its layers don't fit each other", ACTIVATIONS = {
    linear: (x) => x,
    tanh: Math.tanh,
    relu: (x) => Math.max(x, 0),
    leaky_relu: (x, slope) => (x > 0 ? x : slope * x),
    elu: (x) => (x > 0 ? x : Math.expm1(x)),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  };
  const Floats = Float32Array, times = (count, f) => Array.from({ length: count }, f);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const fail = (why) => { throw new Error(why); };
  const whole = (n, most) => (Number.isInteger(n) && n >= 1 && n <= most ? n : fail("its sizes make no sense"));

  // Layers as they lie in the weights: scales, biases, then the rows in 8 bits.
  function read(data, raw) {
    let at = 0;
    const layer = (given, inputs) => {
      const rows = whole(given.out, PAGE), columns = whole(given.in, PAGE);
      if (inputs && columns !== inputs) fail(UNFIT);
      if (!Object.hasOwn(ACTIVATIONS, given.act)) fail("it has an unknown activation");
      const end = at + 8 * rows + rows * columns;
      if (end > raw.length) fail("its weights end too early");
      const numbers = new Floats(raw.slice(at, at + 8 * rows).buffer);
      if (!numbers.every(Number.isFinite)) fail("its weights aren't all numbers");
      const w = new Int8Array(raw.buffer, raw.byteOffset + at + 8 * rows, rows * columns);
      at = end;
      const act = ACTIVATIONS[given.act], slope = Number(given.slope) || 0;
      return { rows, columns, s: numbers.slice(0, rows), b: numbers.slice(rows), w, act: (x) => act(x, slope) };
    };
    const stack = (given, inputs) => given.map((one) => {
      const made = layer(one, inputs);
      inputs = made.rows;
      return made;
    });
    const pixels = whole(data.shape[0], 256) * whole(data.shape[1], 256);
    const models = data.models.map((given) => {
      const latent = whole(given.latent, 1024), classes = given.classes ? whole(given.classes, 100) : 0;
      // An encoder that is told the class takes it beside the pixels.
      const seen = pixels + (given.told ? classes : 0);
      const encoder = stack(given.encoder, seen), top = encoder.length ? encoder.at(-1).rows : seen;
      const mean = layer(given.mean, top), logVar = layer(given.log_var, top);
      const decoder = stack(given.decoder, latent + classes);
      if (mean.rows !== latent || logVar.rows !== latent || decoder.at(-1)?.rows !== pixels) {
        fail(UNFIT);
      }
      const probe = given.probe ? stack(given.probe, latent) : null;
      const plane = given.plane ?? (latent === 2 ? [0, 1] : null);
      if (plane && !(plane.length === 2 && plane.every((d) => Number.isInteger(d) && d >= 0 && d < latent))) {
        fail("its plane makes no sense");
      }
      return { name: String(given.name), latent, classes, told: seen > pixels, encoder, mean, logVar, decoder, probe, plane };
    });
    return models.length ? models : fail("it has no model");
  }

  // y = s (x W^T) + b for `batch` rows of x, by WebAssembly where the browser has it.
  async function products(models) {
    const layers = models.flatMap((m) => [...m.encoder, m.mean, m.logVar, ...m.decoder, ...(m.probe || [])]);
    const widest = Math.max(...layers.map((l) => Math.max(l.rows, l.columns)));
    const batch = Math.max(1, ...models.map((m) => m.classes));
    try {
      const { instance } = await WebAssembly.instantiate(bytes("@WASM@"));
      const { memory, dense } = instance.exports;
      let end = PAGE;
      const place = (size) => { const at = end; end += (size + 15) & ~15; return at; };
      for (const l of layers) l.at = [place(l.w.length), place(4 * l.rows), place(4 * l.rows)];
      const x = place(4 * batch * widest), y = place(4 * batch * widest);
      memory.grow(Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE);
      for (const l of layers) {
        new Int8Array(memory.buffer, l.at[0], l.w.length).set(l.w);
        new Floats(memory.buffer, l.at[1], l.rows).set(l.s);
        new Floats(memory.buffer, l.at[2], l.rows).set(l.b);
      }
      return (l, input, rows) => {
        new Floats(memory.buffer, x, input.length).set(input);
        dense(x, ...l.at, y, rows, l.columns, l.rows);
        return new Floats(memory.buffer, y, rows * l.rows).map(l.act);
      };
    } catch {
      return (l, input, rows) => {
        const out = new Floats(rows * l.rows);
        for (let r = 0; r < rows; r++) {
          for (let o = 0; o < l.rows; o++) {
            let sum = 0;
            for (let i = 0, w = o * l.columns, v = r * l.columns; i < l.columns; i++) sum += input[v++] * l.w[w++];
            out[r * l.rows + o] = l.act(sum * l.s[o] + l.b[o]);
          }
        }
        return out;
      };
    }
  }

  const make = (tag, properties = {}, ...inside) => {
    const { role, label, ...rest } = properties, node = Object.assign(document.createElement(tag), rest);
    if (role) node.setAttribute("role", role);
    if (label) node.setAttribute("aria-label", label);
    node.append(...inside);
    return node;
  };
  const gauss = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

  async function start(root) {
    const data = JSON.parse(document.getElementById(root.dataset.weights).textContent);
    if (data.version !== 1) fail("it was made by another version");
    const reader = new Blob([bytes(data.weights)]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts = [];
    for (let size = 0, part; !(part = await reader.read()).done; parts.push(part.value)) {
      if ((size += part.value.length) > MOST) fail("its weights are too large");
    }
    const models = read(data, new Uint8Array(await new Blob(parts).arrayBuffer()));
    const [H, W] = data.shape, pixels = H * W;
    const apply = await products(models);
    const through = (layers, x, rows) => layers.reduce((h, l) => apply(l, h, rows), x);
    const examples = data.examples ? bytes(data.examples) : new Uint8Array();
    const many = Math.min(Math.floor(examples.length / pixels), 20);
    const named = (c) => String(data.classes?.[c] ?? c);

    let model = models[0], strokes = [], base = null, noise = 0, eps = [], z = null, moved = false, due = false;
    const state = { x: new Floats(pixels), images: [] };
    root.playground = state;

    // --- What is on the panel.
    const image = (label) => make("canvas", { width: W, height: H, role: label && "img", label });
    const box = (node, words) => make("figure", {}, node, make("figcaption", { textContent: words }));
    const button = (words, onclick) => make("button", { type: "button", textContent: words, onclick });
    const range = (label, min, max, step, value, oninput) =>
      make("label", { className: "slide" }, make("span", { textContent: label }),
        make("input", { type: "range", min, max, step, value, oninput }));
    const pad = make("canvas", { width: 280, height: Math.round(280 * H / W), tabIndex: 0, className: "pad", role: "application",
      label: "Pad to draw a digit on: with mouse, finger, or the arrow keys, the space bar putting the pen down and up" });
    const seen = image("what the model is shown"), again = image("its reconstruction");
    const row = make("div", { className: "row" }), codes = make("div", { className: "codes" });
    const plane = make("canvas", { width: 200, height: 200, className: "plane", tabIndex: 0, role: "application",
      label: "The plane of codes: drag a point over it, or move it with the arrow keys" }), map = box(plane, "");
    const says = make("p", { className: "says", role: "status" });
    const pen = make("select", { onchange: update },
      ...[["thin", 1.8], ["medium", 2.5], ["thick", 3.4]].map(([words, width], i) =>
        make("option", { value: width, textContent: words, selected: i === 1 })));
    const choice = make("select", { onchange: () => { model = models[choice.selectedIndex]; build(); } },
      ...models.map((m) => make("option", { textContent: m.name })));
    const drawn = make("select", { onchange: fresh }), drawnRow = make("label", {}, "Drawn ", drawn);
    const noisy = () => { eps = times(model.latent, gauss); update(); };
    const spreadRow = range("noise, × σ", 0, 2, 0.1, 0, (e) => {
      noise = +e.target.value;
      eps.length ? update() : noisy();
    }), spread = spreadRow.lastChild;
    const tests = make("div", { className: "tests" }, ...times(many, (_, i) => {
      const one = image(""), values = Floats.from(examples.subarray(i * pixels, (i + 1) * pixels), (v) => v / 255);
      paint(one, values);
      return make("button", { type: "button", label: `start from test digit ${i + 1}`,
        onclick: () => { strokes = []; base = values; fresh(); } }, one);
    }));
    root.replaceChildren(
      make("div", { className: "bar" }, ...(models.length > 1 ? [make("label", {}, "Model ", choice)] : []),
        make("label", {}, "Pen ", pen), drawnRow,
        button("Undo", () => { strokes.length ? strokes.pop() : (base = null); fresh(); }),
        button("Clear", () => { strokes = []; base = null; fresh(); }),
        button("Sample", () => { if (!noise) spread.value = noise = 1; noisy(); }), spreadRow),
      make("div", { className: "top" }, pad, make("div", { className: "pair" }, box(seen, "shown to the model"), box(again, "reconstruction"), map)),
      tests, row, says, make("details", {}, make("summary", { textContent: "The code, dimension by dimension" }), codes));
    let cells = [], slides = [];

    function build() {
      z = null, moved = false, eps = [], noise = 0, spread.value = 0;
      cells = times(model.classes, (_, c) => image(`as ${named(c)}`));
      row.replaceChildren(...cells.map((cell, c) => box(cell, named(c))));
      slides = times(model.latent, (_, d) => range(`z${d + 1}`, -4, 4, 0.01, 0, (e) => { z[d] = +e.target.value; moved = true; update(); }));
      codes.replaceChildren(...slides, button("Back to the drawing", fresh));
      drawn.replaceChildren(make("option", { textContent: "I don't say" }),
        ...times(model.classes, (_, c) => make("option", { textContent: named(c) })));
      drawnRow.hidden = !model.told;
      map.hidden = !model.plane;
      map.lastChild.textContent = (model.plane || []).map((d) => `z${d + 1}`).join(" to the right, ") + " up";
      update();
    }
    function fresh() { moved = false; update(); }
    function update() { if (!due) { due = true; requestAnimationFrame(draw); } }

    function paint(canvas, values) {
      const picture = new ImageData(W, H);
      for (let i = 0; i < pixels; i++) {
        picture.data.fill(255 * (1 - Math.min(Math.max(values[i], 0), 1)), 4 * i, 4 * i + 3);
        picture.data[4 * i + 3] = 255;
      }
      canvas.getContext("2d").putImageData(picture, 0, 0);
    }

    // --- From strokes to pixels, as MNIST was made: the ink in a box of 20 × 20, its centre of mass in the middle.
    const FINE = 8, sheet = make("canvas", { width: W * FINE, height: H * FINE }), ink = sheet.getContext("2d", { willReadFrequently: true });
    function lay(paper, scale, left, top) {
      paper.lineCap = paper.lineJoin = "round";
      for (const stroke of strokes) {
        paper.beginPath();
        // A dot is a short line.
        paper.moveTo(stroke[0][0] * scale + left - 0.01, stroke[0][1] * scale + top);
        for (const [x, y] of stroke) paper.lineTo(x * scale + left, y * scale + top);
        paper.stroke();
      }
    }
    function ink28(scale, left, top, width) {
      ink.fillStyle = "#000", ink.strokeStyle = "#fff", ink.lineWidth = width * FINE;
      ink.fillRect(0, 0, W * FINE, H * FINE);
      lay(ink, scale * FINE, left * FINE, top * FINE);
      const fine = ink.getImageData(0, 0, W * FINE, H * FINE).data, x = new Floats(pixels);
      for (let i = 0, p = 0; i < H * FINE; i++) {
        for (let j = 0; j < W * FINE; j++, p += 4) x[Math.floor(i / FINE) * W + Math.floor(j / FINE)] += fine[p];
      }
      return x.map((v) => v / (255 * FINE * FINE));
    }
    function input() {
      const width = +pen.value * W / 28;
      if (base) return strokes.length ? ink28(1, 0, 0, width).map((v, i) => Math.max(v, base[i])) : base;
      const points = strokes.flat();
      if (!points.length) return new Floats(pixels);
      const ends = [0, 1].map((i) => points.map((p) => p[i])).map((all) => [Math.min(...all), Math.max(...all)]);
      const size = Math.max(...ends.map(([low, high]) => high - low)), room = 20 / 28 * Math.min(W, H) - width;
      const scale = size > W / 10 ? room / size : 1, at = (x, y) => ink28(scale, W / 2 - x, H / 2 - y, width);
      const [cx, cy] = ends.map(([low, high]) => scale * (low + high) / 2), centred = at(cx, cy);
      let mass = 0, mx = 0, my = 0;
      centred.forEach((v, i) => { mass += v; mx += v * (i % W + 0.5); my += v * (Math.floor(i / W) + 0.5); });
      return mass ? at(cx + mx / mass - W / 2, cy + my / mass - H / 2) : centred;
    }

    // --- What the model makes of it.
    const distance = (y, x) => y.reduce((sum, v, i) => sum + (v - x[i]) ** 2, 0);
    // The least of `count` numbers f(0), f(1), …: its place.
    const least = (count, f) => times(count, (_, i) => f(i)).reduce(([at, low], v, i) => (v < low ? [i, v] : [at, low]), [0, Infinity])[0];
    // μ and log σ² of the image x, as the class c where the encoder is told it.
    function encode(x, c) {
      let given = x;
      if (model.told) {
        given = new Floats(pixels + model.classes);
        given.set(x), given[pixels + c] = 1;
      }
      const h = through(model.encoder, given, 1);
      return [apply(model.mean, h, 1), apply(model.logVar, h, 1)];
    }
    // The images of a code, one for each of the classes.
    function decode(code, classes) {
      const width = model.latent + model.classes, told = new Floats(classes.length * width);
      classes.forEach((c, i) => {
        told.set(code, i * width);
        if (model.classes) told[i * width + model.latent + c] = 1;
      });
      const all = through(model.decoder, told, classes.length);
      return classes.map((_, i) => all.slice(i * pixels, (i + 1) * pixels));
    }
    function draw() {
      due = false;
      show();
      const began = performance.now(), x = state.x = input(), { classes, probe } = model, each = times(Math.max(classes, 1), (_, c) => c);
      // Who doesn't say what was drawn gets the class whose reconstruction comes nearest.
      const as = !model.told ? 0 : drawn.selectedIndex > 0 ? drawn.selectedIndex - 1
        : least(classes, (c) => distance(decode(encode(x, c)[0], [c])[0], x));
      const [mean, logVar] = encode(x, as);
      if (!moved) z = Array.from(mean);
      const code = z.map((v, d) => v + noise * Math.exp(logVar[d] / 2) * (eps[d] || 0));
      state.images = decode(code, each);
      const nearest = model.told ? as : least(each.length, (c) => distance(state.images[c], x));
      paint(seen, x), paint(again, state.images[nearest]);
      cells.forEach((cell, c) => { paint(cell, state.images[c]); cell.parentNode.classList.toggle("near", c === nearest); });
      slides.forEach((slide, d) => { slide.lastChild.value = z[d]; });
      const scores = probe && through(probe, Floats.from(code), 1);
      const words = !x.some((v) => v) ? "Draw a digit, or start from one of the test digits."
        : (classes ? `The nearest of the ${classes} versions is ${named(nearest)}.` : "")
        + (scores ? ` A probe of the code reads ${named(least(scores.length, (c) => -scores[c]))}.` : "");
      if (says.textContent !== words) says.textContent = words;
      if (model.plane) point(mean, logVar);
      state.ms = performance.now() - began;
    }

    function point(mean, logVar) {
      const paper = plane.getContext("2d"), at = (v) => 100 + 25 * v, shown = getComputedStyle(root), [a, b] = model.plane;
      paper.clearRect(0, 0, 200, 200);
      paper.strokeStyle = shown.getPropertyValue("--line"), paper.fillStyle = shown.getPropertyValue("--ink");
      paper.beginPath(), paper.moveTo(100, 0), paper.lineTo(100, 200), paper.moveTo(0, 100), paper.lineTo(200, 100), paper.stroke();
      paper.beginPath(), paper.ellipse(at(mean[a]), 200 - at(mean[b]), 25 * Math.exp(logVar[a] / 2), 25 * Math.exp(logVar[b] / 2), 0, 0, 7), paper.stroke();
      paper.beginPath(), paper.arc(at(z[a]), 200 - at(z[b]), 4, 0, 7), paper.fill();
    }
    function go(right, up) {
      const [a, b] = model.plane;
      z[a] = right, z[b] = up, moved = true, update();
    }
    const drag = (e) => {
      const [x, y] = place(e);
      go(x / W * 8 - 4, 4 - y / H * 8);
    };
    plane.onpointerdown = (e) => { plane.setPointerCapture(e.pointerId); drag(e); };
    plane.onpointermove = (e) => e.buttons && drag(e);
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    plane.onkeydown = (e) => {
      const by = arrows[e.key];
      if (by) { go(z[model.plane[0]] + by[0] / 10, z[model.plane[1]] - by[1] / 10); e.preventDefault(); }
    };

    // --- The pad.
    let cursor = [W / 2, H / 2], down = false;
    const place = (e) => {
      const r = e.target.getBoundingClientRect();
      return [(e.clientX - r.left) / r.width * W, (e.clientY - r.top) / r.height * H];
    };
    function show() {
      const paper = pad.getContext("2d"), unit = pad.width / W;
      paper.fillStyle = "#fff", paper.fillRect(0, 0, pad.width, pad.height);
      if (base) paint(seen, base), paper.imageSmoothingEnabled = false, paper.drawImage(seen, 0, 0, pad.width, pad.height);
      paper.strokeStyle = "#000", paper.lineWidth = +pen.value * unit;
      lay(paper, unit, 0, 0);
      if (pad.matches(":focus-visible")) {
        paper.strokeStyle = down ? "#c00" : "#888", paper.lineWidth = 2;
        paper.strokeRect(cursor[0] * unit - 5, cursor[1] * unit - 5, 10, 10);
      }
    }
    pad.onpointerdown = (e) => { pad.setPointerCapture(e.pointerId); strokes.push([place(e)]); fresh(); e.preventDefault(); };
    pad.onpointermove = (e) => { if (e.buttons && strokes.length) { strokes.at(-1).push(place(e)); fresh(); } };
    pad.onfocus = pad.onblur = update;
    pad.onkeydown = (e) => {
      const by = arrows[e.key];
      if (by) {
        cursor = [Math.min(Math.max(cursor[0] + by[0] / 2, 0), W), Math.min(Math.max(cursor[1] + by[1] / 2, 0), H)];
        if (down) strokes.at(-1).push([...cursor]);
      } else if (e.key === " ") {
        if ((down = !down)) strokes.push([[...cursor]]);
      } else return;
      e.preventDefault(), fresh();
    };
    build();
  }

  for (const root of document.querySelectorAll(".icvae-playground:not([data-live])")) {
    root.dataset.live = "";
    const picture = [...root.childNodes];
    start(root).catch((error) => {
      root.replaceChildren(...picture, make("p", { className: "says", textContent: `This panel can't be shown: ${error.message}.` }));
    });
  }
})();
