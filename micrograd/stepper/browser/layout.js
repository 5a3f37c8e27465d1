// Where boxes and edges go, left to right: micrograd.render.layout, number for number, so that a
// graph typed here looks as Python draws it. Boxes are [width, height], links [source, target,
// port, room] by place; every link goes to a later box.
const COLUMN_GAP = 64, ROW_GAP = 26, DUMMY_GAP = 16;
const SOURCE_WEIGHT = 0.2; // of 1: sources give way to what they feed
const LEAST_SWEEPS = 4, MOST_SWEEPS = 16, SWEPT = 16000;
const MOST_DUMMIES = 20000;

function layout(sizes, links) {
  const ranks = ranksOf(sizes, links);
  const items = sizes.map(([width, height], i) => itemOf(ranks[i], width, height, SOURCE_WEIGHT));
  const columns = Array.from({ length: Math.max(0, ...ranks) + 1 }, () => []);
  for (const item of items) columns[item.rank].push(item);
  const chains = chainsOf(links, items, columns);
  const spans = chains.reduce((total, chain) => total + chain.length, 0);
  const sweeps = Math.max(LEAST_SWEEPS, Math.min(MOST_SWEEPS, Math.floor(SWEPT / (1 + spans))));
  for (const [, target] of links) items[target].weight = 1;
  orderColumns(columns, sweeps);
  setPorts(columns);
  const height = setHeights(columns, sweeps), [lefts, stubs, width] = setWidths(columns, links, items);
  return { size: [width, height], boxes: items.map(item => frameOfItem(item, lefts[item.rank])),
    paths: chains.map(chain => pathOfChain(chain, lefts, stubs)) };
}

// Ranks are longest paths, with sources moved next to their first user.
function ranksOf(sizes, links) {
  const into = sizes.map(() => []), out = sizes.map(() => []), ranks = sizes.map(() => 0);
  for (const [source, target] of links) {
    into[target].push(source);
    out[source].push(target);
  }
  sizes.forEach((_, i) => { ranks[i] = Math.max(0, ...into[i].map(source => ranks[source] + 1)); });
  sizes.forEach((_, i) => {
    if (!into[i].length && out[i].length) ranks[i] = Math.min(...out[i].map(target => ranks[target])) - 1;
  });
  return ranks;
}

// Cut every link into spans, with an invisible box in each column that it passes.
function chainsOf(links, items, columns) {
  const lengths = links.map(([source, target]) => items[target].rank - items[source].rank);
  const passed = lengths.reduce((total, length) => total + length - 1, 0);
  return links.map(([source, target, port], i) => {
    const count = passed <= MOST_DUMMIES ? lengths[i] - 1 : 0;
    const dummies = Array.from({ length: count }, (_, n) => itemOf(items[source].rank + 1 + n));
    for (const dummy of dummies) columns[dummy.rank].push(dummy);
    const stops = [items[source], ...dummies, items[target]];
    const chain = stops.slice(1).map((stop, n) =>
      ({ source: stops[n], target: stop, port, leave: 0, enter: 0 }));
    for (const span of chain) {
      span.source.out.push(span);
      span.target.into.push(span);
    }
    return chain;
  });
}

function setPorts(columns) {
  const share = (item, spans, end) => spans.forEach((span, i) => {
    span[end] = item.height * ((i + 1) / (spans.length + 1) - 0.5);
  });
  for (const item of columns.flat()) {
    share(item, item.into, "enter");
    const leaving = [...item.out];
    sortBy(leaving, entryOf);
    share(item, leaving, "leave");
  }
}

// Set the middles of the items, near those of their neighbours; return the whole height.
function setHeights(columns, sweeps) {
  for (const column of columns) spread(column, column.map(() => 0));
  for (let sweep = 0; sweep < sweeps; sweep++)
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse())
      spread(column, column.map(item => wish(item, sweep)));
  const items = columns.flat();
  const top = items.reduce((least, item) => Math.min(least, item.middle - item.height / 2), Infinity);
  for (const item of items) item.middle = tenth(item.middle - top);
  return items.reduce((most, item) => Math.max(most, item.middle + item.height / 2), -Infinity);
}

// Return the middle at which the edges of an item run level, on average; the first sweeps look
// one way only, so that a column does not hold the next one back.
function wish(item, sweep) {
  const forward = sweep % 2 === 0, both = sweep > 3;
  let wished = 0, total = 0;
  if (both || forward || !item.out.length)
    for (const { source, leave, enter } of item.into) {
      wished += source.weight * (source.middle + leave - enter);
      total += source.weight;
    }
  if (both || !(forward && item.into.length))
    for (const { target, enter, leave } of item.out) {
      wished += target.weight * (target.middle + enter - leave);
      total += target.weight;
    }
  return total ? wished / total : item.middle;
}

// Set middles nearest to the wishes, in least squares, with no two items overlapping.
function spread(column, wishes) {
  const offsets = [], blocks = []; // blocks: mean, weight, number of items
  column.forEach((item, i) => {
    const above = column[i - 1], gap = above?.height && item.height ? ROW_GAP : DUMMY_GAP;
    offsets.push(above ? offsets[i - 1] + ((above.height + item.height) / 2 + gap) : 0);
  });
  column.forEach((item, i) => {
    let mean = wishes[i] - offsets[i], weight = item.weight, number = 1;
    while (blocks.length && blocks.at(-1)[0] > mean) {
      const [other, more, items] = blocks.pop();
      mean = (mean * weight + other * more) / (weight + more);
      weight += more;
      number += items;
    }
    blocks.push([mean, weight, number]);
  });
  const means = blocks.flatMap(([mean, , number]) => Array(number).fill(mean));
  column.forEach((item, i) => { item.middle = means[i] + offsets[i]; });
}

// Return each column's left side, the width of the level stretch before it, and the whole.
function setWidths(columns, links, items) {
  const stubs = columns.map(() => 0), lefts = [];
  for (const [, target, , room] of links)
    stubs[items[target].rank] = Math.max(stubs[items[target].rank], room);
  let x = 0;
  columns.forEach((column, rank) => {
    x += stubs[rank] + (rank ? gapBefore(column) : 0);
    lefts.push(tenth(x));
    x += Math.max(0, ...column.map(item => item.width));
    for (const item of column) item.width = x - lefts[rank];
  });
  return [lefts, stubs, tenth(x)];
}

// Return the gap before a column: wider where its edges climb.
function gapBefore(column) {
  const climbs = column.flatMap(item => item.into.map(span => Math.abs(span.source.middle - span.target.middle)));
  return COLUMN_GAP + Math.min(120, Math.max(0, ...climbs) / 5);
}

const frameOfItem = (item, left) =>
  [left, tenth(item.middle - item.height / 2), tenth(item.width), item.height];

function pathOfChain(chain, lefts, stubs) {
  const { source, leave } = chain[0], last = chain.at(-1);
  const points = [[lefts[source.rank] + source.width, source.middle + leave]];
  for (const span of chain) {
    const { target } = span, y = target.middle + span.enter;
    points.push([lefts[target.rank] - stubs[target.rank], y]);
    points.push([lefts[target.rank] + (span === last ? 0 : target.width), y]);
  }
  return points.map(([x, y]) => [tenth(x), tenth(y)]);
}

// Round to tenths; halfway between two, which only quarters are, to the even one, as Python does.
function tenth(x) {
  const quarters = x * 4;
  if (!Number.isInteger(quarters) || quarters % 2 === 0) return Number(x.toFixed(1));
  const below = Math.floor(x * 10);
  return (below % 2 === 0 ? below : below + 1) / 10;
}
