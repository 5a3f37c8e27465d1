// The controls and the keyboard.
function guess(event) {
  event.preventDefault();
  const stop = stops[page.at], answer = teller.answer(stop), given = parsed($("answer").value);
  if (given === undefined) {
    $("sentence").textContent = `${words()["bad.number"]} ${teller.question(stop)}`;
    return;
  }
  const right = Object.is(given, answer) || shown(given) === shown(answer) ||
    Math.abs(given - answer) <= 0.005 * Math.abs(answer);
  reveal();
  const verdict = fill(words()[right ? "right" : "wrong"], { value: shown(answer) });
  $("sentence").textContent = `${verdict} ${$("sentence").textContent}`;
  $("answer").value = "";
  $("next").focus();
}

const back = () => go(track.at() - 1), end = () => go(track.count() - 1);

function keyed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { target } = event, typing = target.matches("select, input:not([type=checkbox], [type=range])");
  if (typing) return;
  const ranged = target.matches("[type=range]") && event.key !== " ";
  if ((event.key === " " || event.key === "Enter") && target.matches("button, summary, a, input[type=checkbox], [role=button]"))
    return;
  const zoom = factor => picture.camera.zoom(factor);
  const action = { ArrowRight: next, ArrowLeft: back, PageDown: next, PageUp: back, Home: () => go(0), End: end,
    " ": () => play(!page.timer), "+": () => zoom(ZOOM), "=": () => zoom(ZOOM), "-": () => zoom(1 / ZOOM),
    0: () => picture.camera.fit(), Enter: DATA.training && (() => playing(track !== byStops)) }[event.key];
  if (!action || ranged) return;
  if (target.matches(".table, .source, #leaves, #lines") && event.key !== " ") return; // they scroll it
  event.preventDefault();
  action();
}

// Draw the picture anew for the frame it has now; what the reader chose to see of it stays.
function refit() {
  const last = measuredNow;
  measuredNow = undefined;
  if (JSON.stringify(last) === JSON.stringify(measures())) return;
  const { camera, down } = picture;
  redraw();
  if (camera.chosen && picture.down === down) picture.camera.keep(camera);
}

function wire() {
  const stepping = { first: () => go(0), back, next, reveal, reset, last: end, play: () => play(!page.timer),
    close: () => choose({ key: view().closes }), whole: () => picture.camera.fit(),
    closer: () => picture.camera.zoom(ZOOM), farther: () => picture.camera.zoom(1 / ZOOM) };
  for (const [id, action] of Object.entries(stepping)) $(id).addEventListener("click", action);
  $("scrub").addEventListener("input", () => go(Number($("scrub").value) - 1));
  $("speed").addEventListener("change", () => play(!!page.timer));
  $("by").addEventListener("change", () => choose({ by: $("by").value }));
  $("view").addEventListener("change", () => choose({ key: $("view").value }));
  $("language").addEventListener("change", () => {
    page.language = $("language").value;
    rebuild();
  });
  $("theme").addEventListener("change", () => {
    document.documentElement.dataset.theme = $("theme").value;
  });
  $("predict").addEventListener("change", () => {
    page.predict = $("predict").checked;
    page.revealed = !page.predict || page.at === 0;
    show();
  });
  $("guess").addEventListener("submit", guess);
  document.addEventListener("keydown", keyed);
  // The event's own address: a redraw may have written the old one back in the meantime.
  addEventListener("hashchange", event => fromAddress(new URL(event.newURL).hash));
  addEventListener("beforeprint", () => { picture.reveal(true); picture.camera.whole(); });
  addEventListener("afterprint", () => picture.camera.apply());
  movedBy($("picture"), () => picture.camera);
  let resized = 0;
  new ResizeObserver(([{ contentRect: { width, height } }]) => {
    if (!picture.grows) picture.camera.resize([width, height]); // no jump until it is fitted anew
    clearTimeout(resized);
    resized = setTimeout(refit, 100);
  }).observe($("picture"));
}
