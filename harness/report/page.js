"use strict";
document.documentElement.classList.add("scripted");

// Colours by name, so that charts follow the page's, on paper too.
const words = { labelColor: "var(--text)", titleColor: "var(--text)", labelFontSize: 12, titleFontSize: 12 };
const isNarrow = innerWidth < 700;
const theme = {
  background: "transparent",
  axisX: { labelFlush: false, labelOverlap: true },
  axisXQuantitative: { tickCount: { signal: "ceil(width / 70)" } },
  axis: {
    ...words, labelLimit: isNarrow ? 110 : 400,
    gridColor: "var(--line)", gridOpacity: 0.5, domainColor: "var(--soft)", tickColor: "var(--soft)",
  },
  legend: { ...words, orient: "top", symbolSize: 90, columns: isNarrow ? 2 : 0 },
  text: { color: "var(--text)", fontSize: 11 },
  rule: { color: "var(--text)" },
  view: { stroke: "var(--line)" },
};

// ------------------------------------------------------------------------------------ charts

// Vega and all charts, compressed: a quarter of the size, unpacked while the page is already shown.
async function unpack() {
  const bytes = Uint8Array.from(atob(document.getElementById("packed").textContent), letter => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { library, charts } = JSON.parse(await new Response(plain).text());
  const script = document.createElement("script");
  script.textContent = library;
  document.head.append(script);
  return charts;
}

const unpacked = unpack();
const drawn = new Map(); // place to { view, link }
const marks = new Map(); // row to the step that was chosen in it

async function draw(place) {
  const spec = (await unpacked)[place.dataset.chart];
  const { view } = await vegaEmbed(place, spec, { actions: false, renderer: "svg", config: theme });
  const link = spec.usermeta;
  drawn.set(place, { view, link });
  show(view);
  if (link) mark(view, link);
  if (link?.picks) view.addSignalListener("chosen", (_, { x }) => { if (x) choose(link.row, x[0] * link.steps); });
  for (const slider of place.querySelectorAll("input[type=range]")) slider.after(player(slider));
}

// A chart is drawn when it is first seen: those in closed sections cost nothing.
const watcher = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) {
      watcher.unobserve(target);
      draw(target);
    }
  }
}, { rootMargin: "300px" });
document.querySelectorAll(".chart").forEach(place => watcher.observe(place));

// A step that is chosen where differences are drawn is marked in all charts of its row.
function choose(row, step) {
  marks.set(row, step);
  for (const { view, link } of drawn.values()) if (link?.row === row) mark(view, link);
}

function mark(view, link) {
  if (marks.has(link.row)) view.signal("marked", marks.get(link.row) / link.steps).runAsync();
}

// Moves a slider to its end, step by step.
function player(slider) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Play";
  let timer;
  const stop = () => { clearInterval(timer); timer = undefined; button.textContent = "Play"; };
  const set = value => { slider.value = value; slider.dispatchEvent(new Event("input")); };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) set(slider.min);
    button.textContent = "Pause";
    const stride = Math.max(1, Math.round((slider.max - slider.min) / 200));
    timer = setInterval(() => {
      if (Number(slider.value) >= Number(slider.max)) return stop();
      set(Number(slider.value) + stride);
    }, 40);
  });
  return button;
}

// --------------------------------------------------------------------------- filters and order

const filters = document.getElementById("filters"); // the page of a sweep over sizes has nothing to choose
filters?.parentElement.removeAttribute("hidden");
const matrix = document.querySelector("#matrix table");

function backends() {
  return [...filters?.querySelectorAll("input[name=backend]:checked") ?? []].map(box => box.value);
}

function show(view) {
  const all = filters?.querySelectorAll("input[name=backend]").length ?? 0;
  view.signal("shown", backends().length === all ? null : backends()).runAsync();
}

// The tasks that have the chosen name, or concept, and the chosen status on one of the chosen backends.
function tasks() {
  const { task, status } = filters.elements;
  const named = new Set(task.value.split(" "));
  return new Set([...matrix.querySelectorAll("tr[data-worst]")].filter(row => {
    const shown = [...row.querySelectorAll("td[data-status]")].filter(cell => backends().includes(cell.dataset.backend));
    return (!task.value || named.has(row.dataset.tasks)) && (!status.value || shown.some(cell => cell.dataset.status === status.value));
  }).map(row => row.dataset.tasks));
}

function filter(isTask) {
  const { task, status } = filters.elements;
  const [wanted, chosen] = [tasks(), backends()];
  const isFiltered = task.value !== "" || status.value !== "";
  for (const part of document.querySelectorAll("[data-tasks], [data-backend]")) {
    const isWanted = !isFiltered || !part.dataset.tasks || part.dataset.tasks.split(" ").some(name => wanted.has(name));
    part.hidden = !isWanted || (part.dataset.backend !== undefined && !chosen.includes(part.dataset.backend));
    if (isTask && part.matches("details.row")) part.open = task.value !== "" && isWanted;
  }
  for (const { view } of drawn.values()) show(view);
  document.getElementById("found").textContent = isFiltered ? `${wanted.size} task${wanted.size === 1 ? "" : "s"}` : "";
}

// Rows of the matrix by a number or a name; groups are left out until the order is the run's again.
const inOrder = matrix && [...matrix.tBodies].map(body => [body, [...body.rows]]);

function sort() {
  const key = filters.elements.order.value;
  if (key === "run") return inOrder.forEach(([body, rows]) => body.replaceChildren(...rows));
  const rows = inOrder.flatMap(([, rows]) => rows).filter(row => row.dataset.worst);
  const by = { name: row => row.dataset.tasks, worst: row => -row.dataset.worst, time: row => -row.dataset.time }[key];
  rows.sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
  inOrder.forEach(([body], number) => body.replaceChildren(...(number ? [] : rows)));
}

filters?.addEventListener("change", ({ target }) => (target.name === "order" ? sort() : filter(target.name === "task")));
filters?.addEventListener("reset", () => setTimeout(showAll)); // it is told before it is done

function showAll() {
  sort();
  filter();
}

// -------------------------------------------------------------------------------- permalinks

// A permalink opens the sections around its target, and shows all where that was filtered out.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.closest("[hidden]")) {
    filters.reset();
    showAll();
  }
  for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
