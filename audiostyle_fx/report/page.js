"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const KINDS = { content: "Content", result: "Result", style: "Style" };
const ICONS = { play: "M3 1l11 7-11 7z", pause: "M3 1h4v14H3zM9 1h4v14H9z" };

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// ---------------------------------------------------------------- text
const number = (x, digits) => x == null ? "–" : x.toFixed(digits).replace("-", "−");
const decibels = (x) => x == null ? "silence" : `${number(x, 1)} dBFS`;
const kilohertz = (hertz) => `${parseFloat((hertz / 1000).toFixed(3))} kHz`;
const channels = (n) => ["", "mono", "stereo"][n] ?? `${n} channels`;

function significant(x) {
  if (x == null) return "–";
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6)) return x.toExponential(1).replace("e+", "e");
  return String(parseFloat(x.toPrecision(3)));
}

function clock(seconds, digits = 0) {
  const tenths = Math.floor(seconds * 10 ** digits + 1e-6) / 10 ** digits;
  const rest = (tenths % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const minutes = Math.floor(tenths / 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function semitones(x) {
  const text = parseFloat(Math.abs(x).toFixed(1));
  return `${x < 0 ? "−" : "+"}${text} ${text === 1 ? "semitone" : "semitones"}`;
}

function value(x) {
  if (Array.isArray(x)) return x.map(value).join(", ");
  if (x === "inf") return "∞";
  if (x === null) return "none";
  if (typeof x === "object") return Object.entries(x).map(([name, part]) => `${name}=${value(part)}`).join(" ");
  return String(x);
}

// ---------------------------------------------------------------- listening
// Content and result share one position; each style keeps its own. Sound is fetched when it is first played. A part of
// the pair, or of a style, may be repeated: loop has its track, start and end in seconds.
let entry = null, tracks = [], active = null, sharedPosition = 0, loop = null;

const isPair = (track) => track.kind !== "style";
const position = (track) => track.pendingSeek ?? track.audio.currentTime;
const playing = () => active !== null && !active.audio.paused;

function loadSound(track) {
  if (track.audio.hasAttribute("src") || track.fetching) return;
  if (data.inline) {
    const bytes = Uint8Array.from(atob(track.recording.sound), (character) => character.charCodeAt(0));
    track.url = URL.createObjectURL(new Blob([bytes], { type: "audio/flac" }));
  }
  track.audio.src = track.url ?? track.recording.sound;
}

function seek(track, seconds) {
  seconds = Math.max(0, Math.min(seconds, track.recording.duration));
  if (track.audio.readyState) track.audio.currentTime = seconds;
  else track.pendingSeek = seconds;
}

function onMetadata(track) {
  const { audio } = track, { seekable } = audio, end = seekable.length ? seekable.end(seekable.length - 1) : 0;
  if (!track.url && location.protocol.startsWith("http") && !(end > audio.duration - 0.1)) fetchWhole(track);
  else if (track.pendingSeek !== null) {
    audio.currentTime = track.pendingSeek;
    track.pendingSeek = null;
  }
}

// Some servers only send whole files. From such a server, Chromium can't seek in a file at all, and Firefox only in what
// it has received so far: fetch the file first.
async function fetchWhole(track) {
  const { audio } = track, address = audio.src, wasPlaying = track === active && !audio.paused;
  track.fetching = true;
  audio.removeAttribute("src"); // otherwise the browser keeps its own copy of the sound
  audio.load();
  try {
    const blob = await (await fetch(address)).blob();
    if (!tracks.includes(track)) return;
    audio.src = track.url = URL.createObjectURL(blob);
    if (wasPlaying && track === active) play();
  } catch (error) {
    fail(track, error.message);
  }
}

function play() {
  loadSound(active);
  active.audio.play().catch((error) => { if (error.name !== "AbortError") fail(active, error.message); });
  for (const track of tracks) { // load all of them, so that switching is immediate
    loadSound(track);
    track.audio.preload = "auto";
  }
}

// Switch to a track and, if seconds are given, seek to them.
function choose(track, seconds) {
  const wasPlaying = playing();
  if (active && isPair(active)) sharedPosition = position(active);
  if (active && active !== track) active.audio.pause();
  const changed = active !== track;
  active = track;
  if (seconds !== undefined) seek(track, seconds);
  else if (changed && isPair(track)) seek(track, sharedPosition);
  if (wasPlaying) play();
  draw();
}

function toggle() {
  if (!active) return;
  if (playing()) active.audio.pause();
  else play();
}

function fail(track, message) {
  track.facts.textContent = `This can't be played: ${message}`;
}

function shownPosition(track) {
  if (!isPair(track)) return position(track);
  return active && isPair(active) ? position(active) : sharedPosition;
}

function draw() {
  for (const track of tracks) {
    const isActive = track === active;
    track.figure.classList.toggle("on", isActive);
    track.tab.setAttribute("aria-pressed", isActive);
    const seconds = shownPosition(track);
    track.playhead.style.left = `${100 * Math.min(1, seconds / track.span)}%`;
    track.view.setAttribute("aria-valuenow", seconds.toFixed(1));
    track.view.setAttribute("aria-valuetext", clock(seconds, 1));
  }
  const isPlaying = playing();
  $("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
  $("play").querySelector("path").setAttribute("d", isPlaying ? ICONS.pause : ICONS.play);
  $("clock").textContent = active ? `${clock(position(active), 1)} / ${clock(active.recording.duration, 1)}` : "";
}

let frameRequest = 0;
function drawWhilePlaying() {
  cancelAnimationFrame(frameRequest);
  repeat();
  draw();
  if (playing()) frameRequest = requestAnimationFrame(drawWhilePlaying);
}

// Whether the loop belongs to this track; content and result share a loop.
const isLooped = (track) => loop !== null && (track === loop.track || (isPair(track) && isPair(loop.track)));

// Go back at the end of the active track's repeated part; playback that begins before the part continues into it.
function repeat() {
  if (active && isLooped(active) && position(active) >= loop.end) seek(active, loop.start);
}

function setLoop(chosen) {
  loop = chosen;
  for (const track of tracks) {
    track.part.hidden = !isLooped(track);
    track.audio.loop = track.kind === "style" && !isLooped(track); // a style repeats as a whole, or its part
    if (!isLooped(track)) continue;
    track.part.style.left = `${100 * loop.start / track.span}%`;
    track.part.style.width = `${100 * (loop.end - loop.start) / track.span}%`;
  }
  $("unloop").hidden = loop === null;
  if (loop) $("unloop").textContent = `Repeats ${clock(loop.start, 1)} to ${clock(loop.end, 1)} ✕`;
}

// A click goes to its position. A drag over some pixels repeats that part.
function onPointer(track, down) {
  const box = track.view.getBoundingClientRect();
  const seconds = (event) => Math.max(0, Math.min(track.recording.duration, (event.clientX - box.left) / box.width * track.span));
  const first = seconds(down), isDrag = (event) => Math.abs(event.clientX - down.clientX) > 5;
  const part = (event) => {
    const [start, end] = [first, seconds(event)].sort((a, b) => a - b);
    return end - start < 0.05 ? null : { track, start, end };
  };
  track.view.setPointerCapture(down.pointerId);
  track.view.onpointermove = (event) => { if (isDrag(event)) setLoop(part(event)); };
  track.view.onpointercancel = () => { track.view.onpointermove = track.view.onpointerup = null; };
  track.view.onpointerup = (event) => {
    track.view.onpointermove = track.view.onpointerup = null;
    if (isDrag(event)) setLoop(part(event));
    choose(track, loop && isDrag(event) ? loop.start : first);
  };
}

// At equal loudness, the louder of content and result is played more quietly.
function setVolumes() {
  for (const track of tracks) {
    const share = $("equal").checked ? entry.equal_loudness[track.kind] ?? 1 : 1;
    track.audio.volume = share * $("volume").value / 100;
  }
}

// Switch to the next track of a kind; the first one follows the last.
function chooseKind(kind) {
  const candidates = tracks.filter((track) => track.kind === kind);
  const next = candidates[(candidates.indexOf(active) + 1) % candidates.length];
  if (next) choose(next);
}

// ---------------------------------------------------------------- tracks
function hertzAxis() {
  const [low, high] = data.scale.hertz;
  const axis = element("div", { className: "hertz", ariaHidden: "true" });
  for (const hertz of [100, 300, 1000, 3000, 10000]) {
    const label = element("span", { textContent: hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} k` });
    label.style.top = `${100 * (1 - Math.log(hertz / low) / Math.log(high / low))}%`;
    axis.append(label);
  }
  return axis;
}

function secondsAxis(axis, span) {
  const mostLabels = Math.max(2, Math.floor(axis.clientWidth / 80));
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const step = steps.find((seconds) => span / seconds <= mostLabels) ?? span / mostLabels;
  const labels = [];
  for (let k = 0; k * step <= span * (1 + 1e-9); k++) {
    const text = step >= 60 || span >= 60 ? clock(k * step) : `${parseFloat((k * step).toFixed(2))} s`;
    const label = element("span", { textContent: text });
    label.style.left = `${100 * k * step / span}%`;
    label.classList.toggle("last", k * step > 0.97 * span);
    labels.push(label);
  }
  axis.replaceChildren(...labels);
}

function makeTrack(kind, recording, span, title, key) {
  const track = { kind, recording, span, pendingSeek: null };
  const picture = data.inline ? `data:image/png;base64,${recording.picture}` : recording.picture;
  const image = element("img", { src: picture, alt: "", draggable: false });
  image.style.width = `${100 * recording.duration / span}%`;
  track.playhead = element("i");
  track.part = element("b", { hidden: true });
  track.view = element("div", { className: "view", role: "slider", tabIndex: 0 }, image, track.part, track.playhead);
  track.view.setAttribute("aria-label", `Position in ${title.toLowerCase()}`);
  track.view.setAttribute("aria-valuemin", 0);
  track.view.setAttribute("aria-valuemax", recording.duration.toFixed(1));
  track.axis = element("div", { className: "seconds", ariaHidden: "true" });
  const facts = [clock(recording.duration, 1), kilohertz(recording.rate), channels(recording.channels), decibels(recording.level)];
  if (kind === "content" && entry.start) facts.unshift(`from ${clock(entry.start, 1)}`);
  track.facts = element("span", { className: "soft facts", textContent: facts.join(" · ") });
  track.figure = element("figure", { className: "track" },
    element("figcaption", {}, element("b", { textContent: title }), element("span", { textContent: recording.name }), track.facts),
    element("div", { className: "plot" }, hertzAxis(), track.view, track.axis));
  track.tab = element("button", {}, element("kbd", { textContent: key, ariaHidden: "true" }), ` ${title}`);
  track.tab.onclick = () => choose(track);
  track.view.onpointerdown = (event) => { if (event.button === 0) onPointer(track, event); };
  track.audio = element("audio", { preload: "none" });
  track.audio.dataset.kind = kind;
  track.audio.onloadedmetadata = () => onMetadata(track);
  track.audio.onplay = drawWhilePlaying;
  track.audio.onpause = track.audio.onseeked = draw;
  track.audio.ontimeupdate = repeat; // a hidden tab draws no frames
  track.audio.onended = () => {
    if (isLooped(track)) {
      seek(track, loop.start);
      play();
      return;
    }
    sharedPosition = 0;
    seek(track, 0);
    draw();
  };
  track.audio.onerror = () => fail(track, track.audio.error?.message || "the browser gives no reason");
  track.figure.append(track.audio);
  return track;
}

function release(track) {
  track.audio.onerror = track.audio.onpause = null;
  track.audio.pause();
  track.audio.removeAttribute("src");
  track.audio.load();
  if (track.url) URL.revokeObjectURL(track.url);
}

// ---------------------------------------------------------------- an entry
function open(chosen) {
  const kind = active?.kind ?? "result", wasPlaying = playing();
  tracks.forEach(release);
  [entry, active, sharedPosition] = [chosen, null, 0];
  $("name").textContent = entry.name;
  $("chain").textContent = entry.chain;
  $("problems").replaceChildren(...[entry.error, ...entry.problems].filter(Boolean).map((text) => element("li", { textContent: text })));
  const recording = (index) => data.recordings[index];
  const pair = ["content", "result"].filter((name) => entry[name] !== null);
  const span = Math.max(...pair.map((name) => recording(entry[name]).duration));
  tracks = pair.map((name) => makeTrack(name, recording(entry[name]), span, KINDS[name], name === "content" ? "1" : "2"));
  entry.style.forEach((index, k) => {
    const title = entry.style.length > 1 ? `Style ${k + 1}` : "Style";
    tracks.push(makeTrack("style", recording(index), recording(index).duration, title, "3"));
  });
  $("tracks").replaceChildren(...tracks.map((track) => track.figure));
  $("tabs").replaceChildren(...tracks.map((track) => track.tab));
  setLoop(null);
  for (const id of ["transport", "scale"]) $(id).hidden = !tracks.length;
  setVolumes();
  drawLabels();
  drawFacts();
  drawParameters();
  fit();
  const first = tracks.find((track) => track.kind === kind) ?? tracks.find((track) => track.kind === "result") ?? tracks[0];
  if (first) choose(first);
  if (first && wasPlaying) play();
  draw();
  for (const other of data.entries) {
    other.row.classList.toggle("on", other === entry);
    other.row.querySelector("button").ariaCurrent = other === entry ? "true" : null;
  }
  history.replaceState(null, "", `#${entry.number}`);
}

function drawDefinitions(list, pairs) {
  list.replaceChildren(...pairs.map(([name, text, varies]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: text, className: varies ? "varies" : "" }))));
}

const KEPT = {
  melody: "How much of the content's pitch classes over time is kept: 1 all, 0 nothing",
  attacks: "Correlation of the attacks over time with the content's: 1 if all are kept, 0 if none are",
  dynamics: "Correlation of the level in dB over time with the content's: 1 if all is kept, below 0 if inverted",
};

function drawLabels() {
  const { strength } = entry.parameters, labels = [];
  if (strength != null) {
    labels.push(["strength", value(strength), "How far the content is changed towards the style: 0 the content, 1 the style"]);
  }
  for (const [name, share] of Object.entries(entry.kept ?? {})) labels.push([`${name} kept`, number(share, 2), KEPT[name]]);
  $("labels").replaceChildren(...labels.map(([name, text, title]) =>
    element("li", { title }, `${name} `, element("b", { textContent: text }))));
}

function drawFacts() {
  const { content, result } = entry.level, facts = [];
  entry.key.forEach((moved, k) => {
    if (moved) facts.push([entry.key.length > 1 ? `style ${k + 1} moved by` : "style moved by", semitones(moved)]);
  });
  if (content !== undefined) facts.push(["content, RMS", decibels(content)]);
  if (result !== undefined) facts.push(["result, RMS", decibels(result)]);
  if (entry.limited) facts.push(["result's peaks limited by up to", `${number(entry.limited, 1)} dB`]);
  if (result !== undefined) facts.push([entry.common_gain ? "gain of the result and of its stems" : "gain of the result", `${number(entry.gain, 1)} dB`]);
  if (entry.turned_down) facts.push(["both turned down by", `${number(entry.turned_down, 1)} dB`]);
  facts.push(["final style loss", significant(entry.final_loss.style)], ["final content loss", significant(entry.final_loss.content)]);
  facts.push(["computing time", `${number(entry.seconds, 1)} s`]);
  drawDefinitions($("facts").querySelector("dl"), facts);
}

function drawParameters() {
  const names = Object.keys(entry.parameters);
  $("parameters").hidden = !names.length;
  const varies = (name) =>
    data.entries.some(({ parameters }) => name in parameters && value(parameters[name]) !== value(entry.parameters[name]));
  drawDefinitions($("parameters").querySelector("dl"), names.map((name) => [name, value(entry.parameters[name]), varies(name)]));
}

// ---------------------------------------------------------------- loss curves
function svg(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, setting] of Object.entries(attributes)) node.setAttribute(name, setting);
  if (text !== undefined) node.textContent = text;
  return node;
}

const LOSS_COLOURS = { content: "var(--cool)", style: "var(--mark)" };

function drawLosses() {
  const box = $("losses"), stages = Object.entries(entry.stages).filter(([, stage]) => stage.iterations.length);
  const losses = stages.flatMap(([, stage]) => [...stage.style_loss, ...stage.content_loss]).filter((loss) => loss > 0);
  box.querySelectorAll("svg, ul, .keys").forEach((node) => { node.remove(); });
  box.hidden = !losses.length;
  if (!losses.length) return;
  const width = box.clientWidth, height = 210, left = 44, gap = 14, bottom = height - 34;
  const low = Math.log10(Math.min(...losses)) - 0.06, high = Math.log10(Math.max(...losses)) + 0.06;
  const y = (loss) => 6 + (bottom - 6) * (high - Math.log10(loss)) / (high - low);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img" });
  picture.append(svg("title", {}, "Style and content loss by iteration"));
  for (const tick of lossTicks(low, high)) {
    picture.append(svg("line", { class: "grid", x1: left, x2: width, y1: y(tick), y2: y(tick) }));
    picture.append(svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, significant(tick)));
  }
  const lengths = stages.map(([, stage]) => Math.max(1, stage.iterations.at(-1)));
  const total = lengths.reduce((a, b) => a + b, 0);
  const weights = lengths.map((length) => Math.max(length / total, 0.2));
  const unit = (width - left - gap * (stages.length - 1)) / weights.reduce((a, b) => a + b, 0);
  let start = left;
  stages.forEach(([name, stage], k) => {
    const end = start + unit * weights[k];
    picture.append(...lossCurves(name, stage, lengths[k], start, end, y, bottom));
    start = end + gap;
  });
  box.querySelector("h3").append(lossLegend());
  box.append(picture, stageList(stages));
}

// Round numbers between two powers of 10.
function lossTicks(low, high) {
  const digits = high - low > 3 ? [1] : high - low > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const ticks = [];
  for (let decade = Math.floor(low); decade <= high; decade++) ticks.push(...digits.map((digit) => digit * 10 ** decade));
  return ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
}

// The loss curves of a stage with their axis, between two x positions.
function lossCurves(name, stage, iterations, start, end, y, bottom) {
  const x = (iteration) => start + 4 + (end - start - 8) * iteration / iterations;
  const nodes = [
    svg("line", { class: "frame", x1: start, x2: end, y1: bottom, y2: bottom }),
    svg("text", { x: x(0), y: bottom + 14 }, "0"),
    svg("text", { x: x(iterations), y: bottom + 14, "text-anchor": "end" }, iterations),
    svg("text", { x: (start + end) / 2, y: bottom + 30, "text-anchor": "middle" }, name),
  ];
  for (const [kind, colour] of Object.entries(LOSS_COLOURS)) {
    const points = stage[`${kind}_loss`].map((loss, i) => [stage.iterations[i], loss]).filter(([, loss]) => loss > 0);
    if (!points.length) continue;
    const line = points.map(([i, loss]) => `${x(i).toFixed(1)} ${y(loss).toFixed(1)}`).join("L");
    nodes.push(svg("path", { d: `M${line}`, stroke: colour }));
    for (const [i, loss] of points.length < 3 ? points : []) {
      nodes.push(svg("circle", { cx: x(i), cy: y(loss), r: 2.5, stroke: colour }));
    }
  }
  return nodes;
}

function lossLegend() {
  const legend = element("span", { className: "keys" });
  for (const kind of ["style", "content"]) {
    const line = element("i", { className: "key" });
    line.style.color = LOSS_COLOURS[kind];
    legend.append(line, kind);
  }
  return legend;
}

function stageList(stages) {
  const list = element("ul");
  for (const [name, stage] of stages) {
    const parts = [`${name} ${number(stage.seconds, 1)} s`];
    if (stage.inconsistency?.length) {
      parts.push(`inconsistency ${significant(stage.inconsistency[0])} → ${significant(stage.inconsistency.at(-1))}`);
    }
    list.append(element("li", { textContent: parts.join(", ") }));
  }
  return list;
}

function fit() {
  tracks.forEach((track) => { secondsAxis(track.axis, track.span); });
  drawLosses();
}

// ---------------------------------------------------------------- the list
const COLUMNS = [
  ["Name", "name", ({ name }) => name],
  ["Style", "final style loss", ({ final_loss }) => final_loss.style],
  ["Content", "final content loss", ({ final_loss }) => final_loss.content],
  ["dBFS", "level of the result", ({ level }) => level.result ?? null],
  ["Time", "computing time", ({ seconds }) => seconds],
];
const collator = new Intl.Collator(undefined, { numeric: true });
let shown = data.entries;

function makeRows() {
  const head = document.querySelector("#index thead tr");
  for (const [title, meaning, sortKey] of COLUMNS) {
    const button = element("button", { textContent: title, title: `Sort by ${meaning}`, ariaLabel: `Sort by ${meaning}` });
    const cell = element("th", { scope: "col" }, button);
    button.onclick = () => sort(sortKey, cell);
    head.append(cell);
  }
  for (const listed of data.entries) {
    const { final_loss: loss, level, seconds, error, name } = listed;
    const texts = [significant(loss.style), significant(loss.content), number(level.result, 1), number(seconds, 1)];
    const cells = error ? [element("td", { colSpan: 4, textContent: "failed" })] : texts.map((text) => element("td", { textContent: text }));
    const button = element("button", { textContent: name, title: name });
    listed.row = element("tr", { className: error ? "failed" : "" }, element("td", {}, button), ...cells);
    listed.row.onclick = () => {
      open(listed);
      if (matchMedia("(max-width: 860px)").matches) scrollTo({ top: 0 });
    };
  }
}

function sort(sortKey, cell) {
  const descending = cell.ariaSort === "ascending";
  document.querySelectorAll("#index th").forEach((other) => { other.removeAttribute("aria-sort"); });
  cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
  data.entries.sort((left, right) => {
    const [a, b] = [sortKey(left), sortKey(right)];
    if (a === null || b === null || left.error || right.error) { // entries without a value come last
      return (a === null || !!left.error) - (b === null || !!right.error);
    }
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return descending ? -order : order;
  });
  drawList();
}

function drawList() {
  const search = $("filter").value.toLocaleLowerCase();
  shown = data.entries.filter(({ name }) => name.toLocaleLowerCase().includes(search));
  document.querySelector("#index tbody").replaceChildren(...shown.map(({ row }) => row));
}

function step(offset) {
  const index = shown.indexOf(entry);
  const next = shown[index < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, index + offset))];
  if (!next || next === entry) return;
  open(next);
  const list = $("index").getBoundingClientRect(), row = next.row.getBoundingClientRect();
  const top = Math.max(list.top, 0) + 32, bottom = Math.min(list.bottom, innerHeight); // 32 pixels are the table's header
  $("index").scrollTop += Math.min(0, row.top - top) || Math.max(0, row.bottom - bottom); // scrolls the list, not the page
}

// ---------------------------------------------------------------- keys and start
const KEYS = {
  1: () => chooseKind("content"), a: () => chooseKind("content"),
  2: () => chooseKind("result"), b: () => chooseKind("result"),
  3: () => chooseKind("style"), s: () => chooseKind("style"),
  " ": toggle,
  e: () => $("equal").click(),
  l: () => setLoop(null),
  j: () => step(1), ArrowDown: () => step(1),
  k: () => step(-1), ArrowUp: () => step(-1),
  ArrowRight: () => active && choose(active, position(active) + 2),
  ArrowLeft: () => active && choose(active, position(active) - 2),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search]")) return;
  if (event.key.startsWith("Arrow") && event.target.matches("input[type=range]")) return; // arrows set the volume
  if (event.key === " " && event.target.matches("button, input")) return; // Space presses the focused element
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
addEventListener("click", (event) => { // a clicked element loses the focus, so that Space plays and pauses again
  if (event.detail) event.target.closest("button, #equal, #volume")?.blur();
});
addEventListener("resize", () => entry && fit());
$("play").onclick = toggle;
$("equal").onchange = $("volume").oninput = setVolumes;
$("unloop").onclick = () => setLoop(null);
$("previous").onclick = () => step(-1);
$("next").onclick = () => step(1);
$("all").onclick = () => $("index").scrollIntoView();
$("filter").oninput = drawList;

function start() {
  const { entries, scale } = data, failed = entries.filter(({ error }) => error).length;
  document.title = $("heading").textContent = data.title;
  const seconds = entries.reduce((sum, { seconds: time }) => sum + (time ?? 0), 0);
  const parts = [`${entries.length} ${entries.length === 1 ? "recording" : "recordings"}`, `computed in ${clock(seconds)}`];
  if (failed) parts.splice(1, 0, `${failed} failed`);
  $("summary").textContent = parts.join(" · ");
  const [low, bar, top] = $("scale").children;
  low.textContent = number(scale.low, 0);
  top.textContent = `${number(scale.top, 0)} dBFS`;
  bar.style.background = `linear-gradient(90deg, ${scale.colours.join()})`;
  document.body.classList.toggle("single", entries.length < 2);
  for (const id of ["index", "previous", "next", "all"]) $(id).hidden = entries.length < 2;
  entries.forEach((numbered, k) => { numbered.number = k + 1; }); // for the page's address; sorting doesn't change it
  makeRows();
  $("bench").hidden = !entries.length;
  const first = entries.find((numbered) => `#${numbered.number}` === location.hash) ?? entries.find(({ error }) => !error) ?? entries[0];
  drawList();
  if (first) open(first);
}
start();
