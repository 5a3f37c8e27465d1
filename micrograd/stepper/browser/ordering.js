// The order of boxes within the columns of a layered layout: micrograd.render.ordering.
const DUMMY_WEIGHT = 4; // of 1: long edges are kept straight first

const itemOf = (rank, width = 0, height = 0, weight = DUMMY_WEIGHT) =>
  ({ rank, width, height, weight, middle: 0, place: 0, into: [], out: [] });

// Order every column so that few edges cross; keep the best order seen.
function orderColumns(columns, sweeps) {
  for (const item of columns.flat()) item.into.sort((a, b) => a.port - b.port);
  numberPlaces(columns);
  let best = columns.map(column => [...column]), fewest = crossingsOf(columns);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : [...columns].reverse()) {
      sortBy(column, forward ? fromOperands : fromUsers);
      numberPlaces([column]);
    }
    const crossings = crossingsOf(columns);
    if (crossings < fewest) [best, fewest] = [columns.map(column => [...column]), crossings];
  }
  columns.forEach((column, i) => column.splice(0, column.length, ...best[i]));
  numberPlaces(columns);
}

// Sort by a key that is taken once per item, before any moves.
function sortBy(items, key) {
  for (const item of items) item.key = key(item);
  items.sort((a, b) => a.key - b.key);
}

function numberPlaces(columns) {
  for (const column of columns) column.forEach((item, place) => { item.place = place; });
}

// Loops in place of lists: this is run for every box, sweep after sweep, as a reader types.
function meanOf(spans, placeOf, otherwise) {
  let total = 0;
  for (const span of spans) total += placeOf(span);
  return spans.length ? total / spans.length : otherwise;
}

const leaveOf = span => span.source.place;
const fromOperands = item => meanOf(item.into, leaveOf, item.place);
const fromUsers = item => meanOf(item.out, entryOf, item.place);

// Return where an edge enters, in places: ports share out the place of their box.
function entryOf(span) {
  return span.target.place + (span.port + 1) / (span.target.into.length + 1);
}

const crossingsOf = columns => columns.reduce((total, column) =>
  total + inversions(column.flatMap(item => item.out.map(entryOf).sort((a, b) => a - b))), 0);

// Count the pairs out of order.
function inversions(entries) {
  const seen = [];
  let total = 0;
  for (const entry of entries) {
    let low = 0, high = seen.length;
    while (low < high) {
      const half = (low + high) >> 1;
      if (entry < seen[half]) high = half;
      else low = half + 1;
    }
    total += seen.length - low;
    seen.splice(low, 0, entry);
  }
  return total;
}
