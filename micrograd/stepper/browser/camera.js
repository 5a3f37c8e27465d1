// What part of a picture its frame shows: scaled to the window, moved and enlarged by the reader.
const LARGEST = 1.6; // of the scale that a picture is fitted with, in the page's own type size
const SMALLEST_TYPE = 13; // of a picture's text
const LEAST_TYPE = 0.8, LEAST_NARROW = 0.6, NARROW_FRAME = 640; // of the page's type size; less on a phone
const PROJECTOR = [1280, 720]; // a smaller window shows whole what fits it in the type of a phone
const ZOOM = 1.25, FARTHEST = 0.05, CLOSEST = 8;
const BUTTONS = [112, 44]; // pixels of the corner at the lower right that they cover
const TALLEST = 640; // pixels of a picture whose frame takes its height from it

const typeSize = () => measures().type;
const leastOnPhone = () => LEAST_NARROW * typeSize() / SMALLEST_TYPE;
// Return the part of one stretch that another holds too, or its point nearest to that.
const commonPart = ([low, high], [from, to]) => from > high ? [high, high] : to < low ? [low, low]
  : [Math.max(low, from), Math.min(high, to)];

class Camera {
  // `frame` is the holder's width and height; `size` the picture's, in its own units, margins
  // included, from the corner `origin`; `first` the place to begin at where it is larger.
  constructor(frame, holder, svg, origin, size, first) {
    Object.assign(this, { frame, holder, svg, origin, size, first, lift: 0, moved: () => {} });
    this.fit();
  }

  // Return the scale at which the whole picture is seen, but its text not too small to read.
  static fitting(frame, size) {
    const whole = Math.min(...size.map((side, i) => frame[i] / side)), phone = leastOnPhone();
    const least = measures().small && whole > 0.95 * phone ? phone : Camera.least(frame);
    return Math.max(least, Math.min(LARGEST * typeSize() / 16, whole));
  }

  // Return the scale below which text is too small to read.
  static least(frame) {
    return (frame[0] < NARROW_FRAME ? LEAST_NARROW : LEAST_TYPE) * typeSize() / SMALLEST_TYPE;
  }

  fit() {
    this.chosen = false;
    this.scale = Camera.fitting(this.frame, this.size);
    this.corner = this.first.map((at, i) => at - this.frame[i] / this.scale / 2);
    this.apply();
  }

  // Keep the picture within its frame, and in its middle where the frame is larger; lift it where
  // one of `boxes` would lie below the buttons, as far as the first one's top is seen.
  apply(boxes = []) {
    const seen = this.frame.map(side => side / this.scale);
    this.corner = this.corner.map((at, i) => {
      const first = this.origin[i], spare = seen[i] - this.size[i];
      return spare >= 0 ? first - spare / 2 : Math.max(first, Math.min(first - spare, at));
    });
    const [across, down] = this.corner.map((at, i) => at + seen[i] - BUTTONS[i] / this.scale);
    const above = (boxes[0]?.[1] ?? 0) - this.corner[1]; // of the first box; below 0 it is cut off anyway
    const covered = boxes.map(([, , right, bottom]) => (right > across ? bottom - down : 0));
    this.lift = Math.min(above < 0 ? Infinity : above, Math.max(0, ...covered));
    this.svg.setAttribute("viewBox", [...this.seenFrom(), ...seen].map(x => x.toFixed(2)).join(" "));
    this.holder.classList.toggle("movable", seen.some((side, i) => side < this.size[i] - 1));
    this.moved();
  }

  // Return the corner of what is seen.
  seenFrom() { return [this.corner[0], this.corner[1] + this.lift]; }

  // Tell whether anything of the box from one corner to the other is seen.
  shows(low, high) {
    return this.seenFrom().every((at, i) => high[i] >= at && low[i] <= at + this.frame[i] / this.scale);
  }

  // Tell whether all of a box [left, top, right, bottom] is seen.
  holds(box) {
    return this.seenFrom().every((at, i) => box[i] >= at && box[i + 2] <= at + this.frame[i] / this.scale);
  }

  resize(frame) {
    this.frame = frame;
    this.apply();
  }

  // Show the part that the reader chose of the same picture in another frame.
  keep({ corner, frame, scale }) {
    this.chosen = true;
    this.scale = scale;
    this.corner = corner.map((at, i) => at + (frame[i] - this.frame[i]) / scale / 2);
    this.apply();
  }

  // Enlarge by a factor, the point of the frame `at` staying where it is.
  zoom(factor, at = this.frame.map(side => side / 2)) {
    const scale = Math.max(FARTHEST, Math.min(CLOSEST, this.scale * factor));
    this.chosen = true;
    this.corner = this.seenFrom().map((x, i) => x + at[i] / this.scale - at[i] / scale);
    this.scale = scale;
    this.apply();
  }

  pan(dx, dy) {
    this.chosen = true;
    const [x, y] = this.seenFrom();
    this.corner = [x - dx / this.scale, y - dy / this.scale];
    this.apply();
  }

  // Move so that boxes [left, top, right, bottom] of the picture are seen, the first ones sooner than
  // the last where there is no room for all, and go back as far as these need; not near again, or a
  // step here and there would be seen in another size.
  see(boxes) {
    const ends = [0, 1].map(i => [Math.min(...boxes.map(box => box[i])), Math.max(...boxes.map(box => box[i + 2]))]);
    if (!this.chosen) this.scale = Math.min(this.scale, this.far(ends));
    this.corner = ends.map(([from, to], i) => {
      const seen = this.frame[i] / this.scale, middle = (from + to - seen) / 2, now = this.corner[i];
      const [low, high] = boxes.map(box => [box[i], box[i + 2] - seen].sort((a, b) => a - b)).reduce(commonPart);
      return low <= now && now <= high ? now : Math.max(low, Math.min(high, middle));
    });
    this.apply(boxes);
  }

  // Return the scale at which a box is seen whole; any, where its text would be smaller than on a phone.
  far(ends) {
    const whole = Math.min(...ends.map(([from, to], i) => this.frame[i] / (to - from)));
    return whole < leastOnPhone() ? Infinity : whole;
  }

  // Show all, whatever its size: for paper.
  whole() { this.svg.setAttribute("viewBox", [...this.origin, ...this.size].join(" ")); }
}

// Let a pointer drag, two pinch, and the wheel enlarge what `camera()` shows.
function movedBy(holder, camera) {
  const pointers = new Map();
  let dragged = 0;
  const place = event => {
    const { left, top } = holder.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const spread = () => {
    const [[a, b], [c, d]] = [...pointers.values()];
    return { far: Math.hypot(a - c, b - d), at: [(a + c) / 2, (b + d) / 2] };
  };
  holder.addEventListener("pointerdown", event => {
    if (event.pointerType === "mouse" && event.button) return;
    pointers.set(event.pointerId, place(event));
    dragged = 0;
  });
  holder.addEventListener("pointermove", event => {
    const last = pointers.get(event.pointerId), now = place(event);
    if (!last) return;
    const before = pointers.size === 2 ? spread() : undefined;
    pointers.set(event.pointerId, now);
    dragged += Math.abs(now[0] - last[0]) + Math.abs(now[1] - last[1]);
    if (dragged < 4) return;
    if (!holder.hasPointerCapture(event.pointerId)) holder.setPointerCapture(event.pointerId);
    if (before) {
      const after = spread();
      camera().zoom(after.far / (before.far || 1), after.at);
      camera().pan(after.at[0] - before.at[0], after.at[1] - before.at[1]);
    } else if (pointers.size === 1) camera().pan(now[0] - last[0], now[1] - last[1]);
  });
  for (const name of ["pointerup", "pointercancel"])
    holder.addEventListener(name, event => pointers.delete(event.pointerId));
  holder.addEventListener("click", event => {
    if (dragged >= 4) event.stopPropagation();
  }, true);
  // The wheel alone scrolls the page, unless the picture was chosen.
  holder.addEventListener("wheel", event => {
    if (!event.ctrlKey && document.activeElement !== holder) return;
    event.preventDefault();
    camera().zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), place(event));
  }, { passive: false });
}
