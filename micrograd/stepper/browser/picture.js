// The picture: one box per Value or group, one line per edge, drawn once per view and then updated.
// What lies within its frame is drawn first, so that what is typed is seen at once; the rest when it
// comes into view or the reader pauses.
const SVG = "http://www.w3.org/2000/svg";
const PILL = 22;
const WIDE = 31; // half a number of seven characters
const HALF_PORT = 14; // of the way from one edge into a box to the next
const MARGIN = 14;
const AROUND_EDGE = 60; // of an edge: room for its numbers

function element(tag, attributes, parent, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

// Return how wide a text is, of a size and weight of the picture; asking the picture itself would
// have it laid out anew for every box.
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map(), MOST_WIDTHS = 20000; // the same few texts come up at every step
function widthOf(text, font) {
  const key = `${font} ${text}`;
  if (widths.has(key)) return widths.get(key);
  if (widths.size > MOST_WIDTHS) widths.clear();
  pen.font = `${font} ${pen.family ??= getComputedStyle(document.body).fontFamily}`;
  widths.set(key, pen.measureText(text).width);
  return widths.get(key);
}
const NAME_FONT = "700 16px", QUIET_FONT = "13px", NUMBER_FONT = "17px";
const NOTE = 1 / 5; // of a box: a name leaves its note so much, where that needs it

// Return a text cut until it is no wider than `width`.
function fit(text, font, width) {
  const full = [...text];
  let length = full.length, cut = text;
  while (length > 1 && widthOf(cut, font) > width) {
    length = Math.max(1, Math.min(length - 1, Math.ceil(length * width / widthOf(cut, font))));
    cut = full.slice(0, length).join("") + "…";
  }
  return cut;
}

// Return a text cut to a width, or nothing where one letter would be left of it.
function fitting(text, font, width) {
  const cut = fit(text, font, width);
  return cut === text || cut.length > 2 ? cut : "";
}

// Return the path through points that are joined by curves and level stretches in turn.
function pathOf(points, down) {
  let path = `M${points[0]}`;
  for (let i = 1; i < points.length; i++) {
    const [x, y] = points[i], [u, v] = points[i - 1];
    if (i % 2 === 0) path += `L${x} ${y}`;
    else if (down) path += `C${u} ${(v + y) / 2} ${x} ${(v + y) / 2} ${x} ${y}`;
    else path += `C${(u + x) / 2} ${v} ${(u + x) / 2} ${y} ${x} ${y}`;
  }
  return path;
}

// Return points of such a path, from its end: a quarter of a curve apart.
function alongPath(points, down) {
  const curves = points.map((end, i) => [points[i - 1], end]).filter((_, i) => i % 2).reverse();
  const ahead = t => t * t * (3 - 2 * t), mixed = (a, b, t) => a + (b - a) * t;
  return curves.flatMap(([[u, v], [x, y]]) => [0.75, 0.5, 0.25].map(t => {
    const level = t * (1 - t) * 1.5 + t ** 3; // of a coordinate whose handles stand in the middle
    return down ? [mixed(u, x, ahead(t)), mixed(v, y, level)] : [mixed(u, x, level), mixed(v, y, ahead(t))];
  }));
}

// Write a text that is not there yet: to write it again would have the picture laid out anew.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Squeeze a number that is too wide for its box: −1.235e−10 on a phone.
function squeeze(text, font, width) {
  if (widthOf(text.textContent, font) <= width) return text.removeAttribute("textLength");
  text.setAttribute("textLength", width);
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

function playRoles(group, roles) {
  for (const role of ["forward", "receives", "gives"]) group.classList.toggle(role, !!roles[role]);
}

const middle = ([a, b], [c, d]) => [(a + c) / 2, (b + d) / 2];
const pillWidth = text => Math.max(30, 7.6 * text.length + 14);
// Return the sides [left, top, right, bottom] of a number that stands at a place.
const extent = ([x, y], text) => [x - pillWidth(text) / 2, y - PILL / 2, x + pillWidth(text) / 2, y + PILL / 2];
const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function arrow(parent, [x, y], down, back) {
  const s = back ? -1 : 1, tip = back ? 10 : 0;
  const at = (along, aside) => (down ? [x + aside, y + along] : [x + along, y + aside]);
  const points = [at(-tip + tip, 0), at(-10 * s, -5), at(-10 * s, 5)].join(" ");
  return element("polygon", { class: "arrow", points }, parent);
}

const embedded = () => document.documentElement.classList.contains("embedded");

// Return the picture's frame and the page's type size. They are measured where the window has
// changed only, and before anything is drawn: to ask has the whole page laid out.
let measuredNow;
function measures() {
  const holder = $("picture");
  return measuredNow ??= { frame: [holder.clientWidth || 600, holder.clientHeight || 400],
    small: (innerWidth < PROJECTOR[0] || innerHeight < PROJECTOR[1]) && !embedded(),
    type: parseFloat(getComputedStyle(document.documentElement).fontSize) };
}

// Return a function that makes something when it is first asked for: most edges never hold a number.
function later(make) {
  const get = () => (get.made ??= make());
  return get;
}

class Picture {
  constructor(holder, view, say) {
    const frame = [...measures().frame];
    Object.assign(this, { holder, view, say, frame });
    const tall = frame[0] < (this.grows ? NARROW_FRAME : frame[1]);
    this.down = tall && turnable(view) && this.scale(this.places(true)) > this.scale(this.places(false));
    this.placed = this.places(this.down);
    this.draw();
  }

  places(down) {
    const key = down ? "downward" : "across"; // kept: a view is drawn again and again
    return this.view[key] ??= placed(this.view, down);
  }

  size(places = this.placed) { return places.size.map(side => side + 2 * MARGIN); }

  // Return how large the picture is seen; nothing holds the height of what grows with its picture.
  scale(places) {
    const [across, down] = this.size(places), [width, height] = this.frame;
    return Math.min(width / across, (this.grows ? Infinity : height) / down);
  }

  get grows() { return embedded(); }

  draw() {
    this.svg = element("svg", { role: "group", "aria-label": this.say.label });
    this.holder.replaceChildren(this.svg);
    this.layers = ["edges", "boxes", "numbers"].map(name => element("g", { class: name }, this.svg));
    this.edges = this.placed.paths.map((points, i) => later(() => this.edge(points, i)));
    this.boxes = this.view.boxes.map((box, i) => later(() => this.box(box, i)));
    this.resize();
    this.reveal();
    this.camera.moved = () => this.reveal();
  }

  // Draw what the frame shows; with `all`, what it does not show too.
  reveal(all = false) {
    const shows = (low, high) => all || this.camera.shows(low, high), told = this.told;
    this.drawn(this.edges, this.layers[0], i => {
      const points = this.placed.paths[i], side = (pick, n, more) => pick(...points.map(point => point[n])) + more;
      return shows([0, 1].map(n => side(Math.min, n, -AROUND_EDGE)), [0, 1].map(n => side(Math.max, n, AROUND_EDGE)));
    }, (edge, i) => told && this.flow(edge, told.edge(i), i));
    this.drawn(this.boxes, this.layers[1], i => {
      const [x, y, width, height] = this.placed.boxes[i];
      return shows([x, y], [x + width, y + height]);
    }, (box, i) => told && this.fill(box, told.box(i), i));
    this.locals();
  }

  // Draw those pieces that `isSeen` says, each in its order among the others, and `fill` them.
  drawn(pieces, layer, isSeen, fill) {
    let next = null;
    for (let i = pieces.length - 1; i >= 0; i--) {
      const piece = pieces[i];
      if (!piece.made && isSeen(i)) {
        layer.insertBefore(piece().group, next);
        fill(piece.made, i);
      }
      next = piece.made?.group ?? next;
    }
  }

  resize() {
    if (this.grows) {
      this.frame[1] = this.height();
      this.holder.style.height = `${this.frame[1]}px`;
    }
    this.camera = new Camera(this.frame, this.holder, this.svg, [-MARGIN, -MARGIN], this.size(), this.first());
  }

  // Return the middle of the first column: a large picture has nothing in its corner.
  first() {
    const along = this.down ? 1 : 0, { boxes } = this.placed, start = Math.min(...boxes.map(box => box[along]));
    const column = boxes.filter(box => box[along] === start).map(([x, y, width, height]) => [x + width / 2, y + height / 2]);
    column.sort((a, b) => a[1 - along] - b[1 - along]);
    return column[column.length >> 1] ?? [0, 0];
  }

  height() {
    const size = this.size(), fitting = Camera.fitting([this.frame[0], Infinity], size);
    return Math.min(TALLEST, Math.ceil(size[1] * fitting));
  }

  edge(points, i) {
    const group = element("g", {}), down = this.down, [start, end] = [points[0], points[points.length - 1]];
    const across = down ? 0 : 1, box = this.placed.boxes[this.view.edges[i][1]];
    const offset = end[across] - box[across] - box[2 + across] / 2; // of the port from the box's middle
    const into = down ? this.view.edges.filter(([, target]) => target === this.view.edges[i][1]).length : 0;
    const port = Math.round((offset / box[2 + across] + 0.5) * (into + 1)) - 1; // the first is 0
    return {
      group, ...this.numbers(points), path: points, end, aside: Math.abs(offset) < 1 ? 0 : Math.sign(offset),
      above: into > 2 ? (port % 3) * (PILL + 2) : 0, lifted: into === 2 ? (2 - port) * (PILL + 2) : 0,
      line: element("path", { class: "edge", d: pathOf(points, down) }, group),
      arrow: arrow(group, end, down, false),
      back: later(() => arrow(group, start, down, true)),
      active: "",
    };
  }

  // The number on an edge, and beside it the local gradient it was multiplied by.
  numbers(points) {
    const pill = cls => later(() => {
      const group = element("g", { class: cls, visibility: "hidden" }, this.layers[2]);
      element("rect", { height: PILL, rx: cls === "pill" ? 11 : 4, y: -PILL / 2 }, group);
      element("text", { y: 5 }, group);
      return group;
    });
    const n = points.length;
    return { pill: pill("pill"), times: pill("times"), at: middle(points[n - 2], points[n - 1]),
      beside: middle(points[n - 3] ?? points[0], points[n - 2]) };
  }

  box(box, place) {
    const [x, y, width, height] = this.placed.boxes[place];
    const group = element("g", { transform: `translate(${x} ${y})` });
    const folded = box.members.length > 1, told = this.say.box(box);
    group.classList.toggle("inside", !!this.view.inside?.includes(place));
    if (folded) element("rect", { class: "shade", x: 5, y: 5, width, height, rx: 10 }, group);
    element("rect", { class: "box", width, height, rx: 10 }, group);
    element("title", {}, group, told.title);
    const room = told.single ? width - 32 : 2 * width;
    const name = fit(told.name, NAME_FONT, Math.min(width - 24, room - Math.min((box.count ? 1 : NOTE) * width, widthOf(told.formula, QUIET_FONT))));
    const note = fitting(told.formula, QUIET_FONT, Math.min(width - 24, room - widthOf(name, NAME_FONT)));
    element("text", { class: "name", x: 12, y: 26 }, group, name);
    element("text", { class: "quiet note", x: width - 12, y: told.single ? 25 : 54, "text-anchor": "end" }, group, note);
    const row = (cls, at) => [
      element("text", { class: "quiet", x: 12, y: at }, group),
      element("text", { class: cls, x: width - 12, y: at }, group)];
    if (this.view.opens[place]) this.opener(group, width, place, told);
    const [label, value] = row("v", 54), [of, grad] = row("g", 80);
    return { group, label, value, of, grad, room: width - 30, single: told.single };
  }

  // A click anywhere on a folded box opens it; its badge is the button that keys reach.
  opener(group, width, place, told) {
    const open = () => this.say.open(this.view.opens[place]);
    group.classList.add("group");
    group.addEventListener("click", open);
    const badge = element("g", { class: "badge", role: "button", tabindex: "0",
      "aria-label": told.open }, group);
    element("circle", { cx: width - 2, cy: 2, r: 11 }, badge);
    element("path", { d: `M${width - 8} 2h12M${width - 2} -4v12` }, badge);
    badge.addEventListener("focus", () => {
      if (!badge.matches(":focus-visible")) return;
      this.follow([place]);
      badge.scrollIntoView({ block: "nearest" });
    });
    badge.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      open();
    });
  }

  // Show a frame: texts per box and edge, and which of them take part in the step.
  update(frame) {
    this.told = frame;
    this.follow(frame.places, frame.edges);
    this.boxes.forEach(({ made }, i) => made && this.fill(made, frame.box(i), i));
    this.edges.forEach(({ made }, i) => made && this.flow(made, frame.edge(i), i));
    this.locals();
  }

  fill({ group, label, value, of, grad, room, single }, shown) {
    const left = (text, bold) => room - widthOf(text, bold ? `700 ${NUMBER_FONT}` : NUMBER_FONT);
    const isRoom = widthOf(this.say.value, QUIET_FONT) <= left(shown.value, shown.used);
    write(label, single && isRoom ? this.say.value : "");
    write(value, shown.value);
    write(grad, shown.grad);
    for (const number of [value, grad]) squeeze(number, `700 ${NUMBER_FONT}`, room + 6);
    write(of, fitting(shown.of, QUIET_FONT, left(shown.grad, shown.gives)));
    value.classList.toggle("used", shown.used);
    grad.classList.toggle("used", shown.gives);
    playRoles(group, shown);
  }

  flow(edge, { active, pill, times }) {
    this.activate(edge, active, active !== "backward");
    edge.lies = this.spot(edge, pill);
    edge.says = { pill, times };
    this.write(edge.pill, edge.lies, pill);
    if (!times) this.write(edge.times, edge.beside, times);
  }

  // Write the local gradients of a step, last: beside the numbers that are there.
  locals() {
    const edges = this.edges.flatMap(({ made }) => (made?.says ? [made] : [])), giving = edges.filter(({ says }) => says.times);
    const numbers = edges.filter(({ says }) => says.pill).map(({ lies, says }) => extent(lies, says.pill));
    for (const edge of giving) {
      const { times } = edge.says, places = this.besides(edge, times), at = this.free(places, times, numbers) ?? places[0];
      this.write(edge.times, at, times);
      numbers.push(extent(at, times));
    }
  }

  // Return the first place where a text covers none of `numbers` and no box and is seen, or where as
  // much of that is so as can be; none where numbers are everywhere.
  free(places, text, numbers) {
    const clear = taken => places.filter(at => !taken.some(other => overlap(extent(at, text), other)));
    const free = clear([...numbers, ...this.placed.boxes.map(([x, y, width, height]) => [x, y, x + width, y + height])]);
    return free.find(at => this.camera.holds(extent(at, text))) ?? free[0] ?? clear(numbers)[0];
  }

  // Return where the number of an edge stands: left of its end, or downward apart from its neighbour,
  // of several in steps, three above each other, and of two where a number is so wide that it would
  // reach those of the next box.
  spot({ at: [x, y], end, aside, above, lifted }, pill) {
    const half = pillWidth(pill) / 2;
    if (this.down && lifted && half > WIDE) return [x, y - lifted];
    return this.down ? [x + aside * Math.max(0, half - HALF_PORT), y - above] : [Math.min(x, end[0] - 11 - half), y];
  }

  // Return where the second number of an edge may stand, the best place first: beside the first,
  // above or below it, further back, at a side of its edge.
  besides({ beside, path, lies: [x, y], aside, says }, times) {
    const shift = (pillWidth(says.pill) - pillWidth(times)) / 2, rise = PILL + 2, toward = aside || -1;
    const stacked = [toward, -toward].flatMap(side => [shift, -shift].map(dx => [x + dx, y + side * rise]));
    const along = alongPath(path, this.down), [dx, dy] = this.down ? [toward * pillWidth(times) / 2, 0] : [0, PILL];
    return [beside, ...stacked, ...along, ...along.flatMap(([u, v]) => [[u + dx, v + dy], [u - dx, v - dy]])];
  }

  // Mark an edge that takes part, and draw the arrow of the direction it is walked in.
  activate(edge, active, ahead) {
    if (edge.active === active) return;
    edge.active = active;
    edge.line.setAttribute("class", `edge ${active}`);
    edge.arrow.setAttribute("class", `arrow ${active === "forward" ? active : ""}`);
    edge.arrow.setAttribute("visibility", ahead ? "visible" : "hidden");
    if (active !== "backward" && !edge.back.made) return;
    edge.back().setAttribute("class", "arrow backward");
    edge.back().setAttribute("visibility", active === "backward" ? "visible" : "hidden");
  }

  // Write a number at a place; without a text it is hidden.
  write(pill, [x, y], text) {
    const written = `${x} ${y} ${text}`;
    if (pill.written === written || (!text && !pill.made)) return;
    pill.written = written;
    const group = pill();
    group.setAttribute("visibility", text ? "visible" : "hidden");
    if (!text) return;
    const [rect, label] = group.children, width = pillWidth(text);
    group.setAttribute("transform", `translate(${x} ${y})`);
    rect.setAttribute("width", width);
    rect.setAttribute("x", -width / 2);
    label.textContent = text;
  }

  // Move so that the boxes of the step and the numbers of its edges are seen, where the picture is
  // larger than its frame.
  follow(places, edges = []) {
    const frames = places.map(place => this.placed.boxes[place]).filter(Boolean);
    const boxes = frames.map(([x, y, width, height]) => [x - MARGIN, y - MARGIN, x + width + MARGIN, y + height + MARGIN]);
    const ends = edges.map(i => this.placed.paths[i].slice(-2)).map(([[u, v], [x, y]]) =>
      [Math.min(u, x) - WIDE, Math.min(v, y) - PILL, Math.max(u, x) + WIDE, Math.max(v, y) + PILL]);
    if (boxes.length) this.camera.see([...boxes.slice(0, 1), ...ends, ...boxes.slice(1)]);
  }
}
