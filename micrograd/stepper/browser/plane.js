// The plane of the two inputs: what the network gives at each place, its boundary, the points; and
// the curve of the losses. The tints are painted, the rest is SVG, which takes the page's colours.
const ACROSS = 64, DOWN = 48; // places computed, of a picture of this shape
const AROUND = 0.12; // of the points' extent, left free around them
const DENSEST = 0.6; // of the tints
const LEVEL = 0.01; // of the way from the boundary to a target: an output that is as good as on it

// Return [left, low, width, height] of the part of the plane that is shown: as wide as the picture.
function extentOf(points) {
  const ends = [0, 1].map(i => [Math.min(...points.map(p => p[i])), Math.max(...points.map(p => p[i]))]);
  const sides = ends.map(([low, high]) => (high - low || 1) * (1 + 2 * AROUND));
  const width = Math.max(sides[0], sides[1] * ACROSS / DOWN), height = width * DOWN / ACROSS;
  const [left, low] = ends.map(([a, b], i) => (a + b - [width, height][i]) / 2);
  return [left, low, width, height];
}

// Return both inputs at every place, row by row from the top.
function placesOf([left, low, width, height]) {
  const x = new Float64Array(ACROSS * DOWN), y = new Float64Array(ACROSS * DOWN);
  x.forEach((_, i) => {
    x[i] = left + width * (i % ACROSS + 0.5) / ACROSS;
    y[i] = low + height * (1 - (Math.floor(i / ACROSS) + 0.5) / DOWN);
  });
  return [x, y];
}

// Paint numbers: one colour above 0, one below, the denser the farther from it, up to `most`.
function paint(canvas, numbers, most, [above, below]) {
  if (canvas.width !== ACROSS) Object.assign(canvas, { width: ACROSS, height: DOWN });
  const pen = canvas.getContext("2d"), image = pen.createImageData(ACROSS, DOWN), { data } = image;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i], colour = x > 0 ? above : below;
    for (let c = 0; c < 3; c++) data[4 * i + c] = colour[c];
    data[4 * i + 3] = 255 * DENSEST * Math.min(1, Math.abs(x) / (most || 1) || 0);
  }
  pen.putImageData(image, 0, 0);
}

// Return the lines along which numbers at the places are 0, as paths in units of places: first
// where they pass from one side to the other, then where they stay within `least` of 0 about it.
function contour(numbers, least) {
  const paths = ["", ""];
  const crossing = (a, b, p, q) => {
    const share = a / (a - b);
    return [p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share].map(x => x.toFixed(2)).join(" ");
  };
  const sideAt = (row, column) => numbers[row * ACROSS + column] > 0;
  for (let row = 0; row + 1 < DOWN; row++)
    for (let column = 0; column + 1 < ACROSS; column++) {
      const sides = [0, 1].flatMap(n => [sideAt(row, column + n), sideAt(row + 1, column + n)]);
      if (sides.every(side => side === sides[0])) continue;
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const values = corners.map(([c, r]) => numbers[r * ACROSS + c]);
      if (!values.every(finite)) continue;
      const cuts = corners.flatMap((corner, i) => {
        const j = (i + 1) % 4;
        return values[i] > 0 !== values[j] > 0 ? [crossing(values[i], values[j], corner, corners[j])] : [];
      });
      const level = Number(values.every(x => Math.abs(x) < least));
      for (let i = 0; i + 1 < cuts.length; i += 2) paths[level] += `M${cuts[i]}L${cuts[i + 1]}`;
    }
  return paths;
}

class Plane {
  constructor(holder, points, targets, choose) {
    const full = (Math.max(...targets) - Math.min(...targets)) / 2; // as far from the boundary as a target
    Object.assign(this, { points, extent: extentOf(points), full });
    this.canvas = holder.querySelector("canvas");
    const svg = this.svg = element("svg", { viewBox: `0 0 ${ACROSS} ${DOWN}`, "aria-hidden": "true" }, holder);
    this.lines = ["boundary", "boundary level"].map(name => element("path", { class: name, transform: "translate(.5 .5)" }, svg));
    const above = Math.max(...targets);
    points.forEach((point, i) => markAt(svg, this.at(point), targets[i] === above));
    this.ring = element("circle", { class: "chosen", r: 2 }, svg);
    holder.addEventListener("click", event => {
      const { left, top, width, height } = holder.getBoundingClientRect();
      const at = [(event.clientX - left) * ACROSS / width, (event.clientY - top) * DOWN / height];
      choose(nearest(points.map(point => this.at(point)), at));
    });
  }

  // Return where a point is, in units of places.
  at([x, y]) {
    const [left, low, width, height] = this.extent;
    return [(x - left) / width * ACROSS, (1 - (y - low) / height) * DOWN];
  }

  // Show the numbers, and tell whether the boundary is somewhere no more than a level place.
  show(numbers, chosen, colours) {
    paint(this.canvas, numbers, this.full, colours);
    const paths = contour(numbers, LEVEL * this.full);
    this.lines.forEach((line, i) => line.setAttribute("d", paths[i]));
    const [cx, cy] = this.at(this.points[chosen]);
    this.ring.setAttribute("cx", cx);
    this.ring.setAttribute("cy", cy);
    return paths[1] !== "";
  }
}

// A circle for the higher target, a square for the lower one.
function markAt(svg, [x, y], above) {
  if (above) element("circle", { class: "point above", cx: x, cy: y, r: 0.85 }, svg);
  else element("rect", { class: "point below", x: x - 0.75, y: y - 0.75, width: 1.5, height: 1.5 }, svg);
}

function nearest(places, [x, y]) {
  const far = places.map(([a, b]) => Math.hypot(a - x, b - y));
  return far.indexOf(Math.min(...far));
}

const CURVE = [320, 88], BESIDE_CURVE = 4, MOST_SPAN = 20; // of a loss over its least: beyond, its logarithm is drawn

class Curve {
  constructor(holder, losses, seek) {
    const seen = losses.filter(finite); // too many, perhaps, to be spread out as arguments
    const least = seen.reduce((a, b) => Math.min(a, b), Infinity), most = seen.reduce((a, b) => Math.max(a, b), -Infinity);
    this.log = least > 0 && most > MOST_SPAN * least;
    const scale = this.log ? Math.log : x => x, [low, high] = this.log ? [least, most] : [Math.min(0, least), most];
    this.ends = seen.length ? [low, high] : [NaN, NaN];
    this.height = loss => CURVE[1] * (scale(high) - scale(loss)) / (scale(high) - scale(low) || 1);
    Object.assign(this, { losses, last: Math.max(1, losses.length - 1) });
    const svg = element("svg", { viewBox: `${-BESIDE_CURVE} -6 ${CURVE[0] + 2 * BESIDE_CURVE} ${CURVE[1] + 12}`, "aria-hidden": "true",
      preserveAspectRatio: "none" }, holder);
    element("path", { class: "axis", d: `M0 0V${CURVE[1]}H${CURVE[0]}` }, svg);
    element("path", { class: "losses", d: this.path() }, svg);
    this.now = element("path", { class: "now" }, svg);
    holder.addEventListener("click", event => {
      const { left, width } = holder.getBoundingClientRect();
      seek(((event.clientX - left) / width * (CURVE[0] + 2 * BESIDE_CURVE) - BESIDE_CURVE) / CURVE[0] * this.last);
    });
  }

  across(step) { return Math.min(1, step / this.last) * CURVE[0]; }

  path() {
    let text = "";
    this.losses.forEach((loss, step) => {
      if (!finite(loss)) return;
      text += `${text ? "L" : "M"}${this.across(step).toFixed(1)} ${this.height(loss).toFixed(1)}`;
    });
    return text;
  }

  show(step) { this.now.setAttribute("d", `M${this.across(step)} -4V${CURVE[1] + 4}`); }
}
