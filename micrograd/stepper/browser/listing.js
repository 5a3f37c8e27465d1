// The list of all steps: the same as text.
function listing() {
  const last = stops.length - 1;
  const whole = stateAt(stops, last, page.record, graph.nodes, exact());
  $("steps").replaceChildren(...stops.map((stop, i) => {
    const line = document.createElement("tr"), link = made("a", String(i + 1));
    link.href = `#step=${i + 1}`;
    link.addEventListener("click", event => { event.preventDefault(); go(i); });
    const cells = [made("td"), made("td", words()[`pass.${stop.walk ? "walk" : stop.kind}`]),
      made("td", teller.what(stop)), made("td", teller.summary(stop)),
      made("td", teller.sentence(stop, whole))];
    if (graph.program) cells.push(made("td", lineNumbers(stop)));
    cells[0].append(link);
    for (const cell of cells) cell.dataset.text = cell.textContent;
    line.append(...cells);
    return line;
  }));
  $("all").classList.toggle("long", stops.length > 16);
}

const PAUSE = 200; // milliseconds after a key, before what is out of sight is made anew
let waiting = 0;

// Make what is out of sight: the list, and the picture beyond its frame.
function rest() {
  clearTimeout(waiting);
  waiting = 0;
  picture.reveal(true);
  listing();
}

function restSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { rest(); mark(); remember(); }, PAUSE);
}

function mark() {
  const lines = $("steps").children;
  $("steps").querySelector("[aria-current]")?.removeAttribute("aria-current");
  lines[page.at]?.setAttribute("aria-current", "step");
  if (page.predict || page.masked) mask(lines);
}

// Hide in the list what a reader is to predict.
function mask(lines) {
  page.masked = page.predict;
  [...lines].forEach((line, i) => {
    const secret = page.predict && (i > page.at || (i === page.at && hidden()));
    for (const cell of [line.cells[3], line.cells[4]])
      cell.textContent = secret && cell.dataset.text ? "?" : cell.dataset.text;
  });
}
