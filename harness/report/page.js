"use strict";
document.documentElement.classList.add("scripted");

function theme() {
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const words = { labelColor: color("--text"), titleColor: color("--text"), labelFontSize: 12, titleFontSize: 12 };
  return {
    background: "transparent",
    axis: { ...words, gridColor: color("--line"), gridOpacity: 0.5, domainColor: color("--soft"), tickColor: color("--soft") },
    legend: { ...words, orient: "top", symbolSize: 90, columns: innerWidth < 700 ? 2 : 0 },
    text: { color: color("--text"), fontSize: 11 },
    view: { stroke: color("--line") },
  };
}

function draw(place) {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
  vegaEmbed(place, spec, { actions: false, renderer: "svg", config: theme() });
}

// A chart is drawn when it is first seen: those in closed sections cost nothing.
const seen = new Set();
const watcher = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting && !seen.has(target)) {
      seen.add(target);
      draw(target);
    }
  }
}, { rootMargin: "300px" });
document.querySelectorAll(".chart").forEach(place => watcher.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => seen.forEach(draw));

// One task at a time, or those of one concept: all that belongs to others only is hidden, and what is left is opened.
// The page of a sweep over sizes has nothing to pick.
const picker = document.getElementById("picker");
picker?.removeAttribute("hidden");
picker?.addEventListener("change", ({ target }) => {
  const wanted = new Set(target.value.split(" "));
  for (const part of document.querySelectorAll("[data-tasks]")) {
    const chosen = part.dataset.tasks.split(" ").some(name => wanted.has(name));
    part.hidden = target.value !== "" && !chosen;
    if (part.matches("details.row")) part.open = chosen;
  }
});

// A permalink opens the sections around its target.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
