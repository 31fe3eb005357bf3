// A chart with a slider. Its Vega-Lite specification stands in the page, and Vega is loaded when the
// chart comes near the view. Colors are variables of style.css, so they follow the reader's scheme.
{
  const vendor = new URL("vendor/", document.currentScript.src)
  const text = "var(--md-typeset-color)"
  const line = "var(--md-default-fg-color--lightest)"
  const config = {
    background: null,
    font: "inherit",
    axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", tickCount: 5 },
    range: { category: ["pattern", "baseline", "best", "variant"].map((role) => `var(--chart-${role})`) },
    rule: { color: text },
    text: { color: text, fontSize: 13 },
    view: { stroke: null },
  }

  const load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script")
      script.src = new URL(name, vendor)
      script.onload = resolve
      script.onerror = reject
      document.head.append(script)
    })
  let loaded
  const libraries = () => (loaded ??= load("vega.min.js").then(() => load("vega-lite.min.js")))

  const draw = async (figure) => {
    await libraries()
    const { title, ...spec } = JSON.parse(figure.querySelector("script").textContent)
    const compiled = vegaLite.compile(spec, { config }).spec
    const view = new vega.View(vega.parse(compiled), {
      renderer: "svg",
      container: figure.querySelector(".chart-view > div"),
      bind: figure.querySelector(".chart-slider"),
    })
    await view.runAsync()
    const slider = figure.querySelector("input")
    const shown = compiled.data.at(-1).name
    const say = () => {
      const rows = view.data(shown).toSorted((one, other) => one.rank - other.rank)
      const position = view.signal("position")
      slider.setAttribute("aria-valuetext", position)
      figure.querySelector(".chart-says").textContent =
        `${position} ${rows.map((row) => row.says).join("")}`
    }
    view.addDataListener(shown, () => view.runAfter(say))
    say()
  }

  const watch = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue
        watch.unobserve(target)
        draw(target)
      }
    },
    { rootMargin: "500px" }
  )
  document.querySelectorAll("figure.chart").forEach((figure) => watch.observe(figure))
}
