/** A chart draws the table beside it: head cells are labels, `data-value` of a cell is its number. One source, two views. */
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, PieChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

interface Figures {
  labels: string[];
  series: { name: string; values: (number | null)[]; shown: string[] }[];
}

function readTable(table: HTMLTableElement): Figures {
  const names = [...table.tHead!.rows[0]!.cells].slice(1).map((cell) => cell.textContent!.trim());
  const lines = [...table.tBodies[0]!.rows];
  return {
    labels: lines.map((line) => line.cells[0]!.textContent!.trim()),
    series: names.map((name, at) => ({
      name,
      values: lines.map((line) => (line.cells[at + 1]!.dataset["value"] ? Number(line.cells[at + 1]!.dataset["value"]) : null)),
      shown: lines.map((line) => line.cells[at + 1]!.textContent!.trim()),
    })),
  };
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(kind: string, figures: Figures): echarts.EChartsCoreOption {
  const colours = [1, 2, 3, 4, 5, 6].map((hue) => token(`--hue-${hue}`));
  const short = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
  const text = { color: token("--soft"), fontFamily: "Geologica, sans-serif", fontSize: 12 };
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const common = {
    color: colours,
    animation: !calm,
    animationDuration: 350,
    textStyle: text,
    legend: figures.series.length > 1 || kind === "pie" ? { bottom: 0, left: 0, icon: "roundRect", itemWidth: 12, itemHeight: 12, textStyle: text } : undefined,
    tooltip: {
      trigger: kind === "pie" ? "item" : "axis", renderMode: "richText", confine: true,
      backgroundColor: token("--surface"), borderColor: token("--line"), textStyle: { ...text, color: token("--ink") },
      axisPointer: { lineStyle: { color: token("--edge") } },
    },
  };
  if (kind === "pie") {
    const first = figures.series[0];
    const data = figures.labels.map((name, at) => ({ name, value: first?.values[at] ?? 0 }));
    const tooltip = { ...common.tooltip, formatter: (point: { dataIndex: number; name: string; percent: number }) => `${point.name}\n${first?.shown[point.dataIndex]} (${point.percent} %)` };
    return { ...common, tooltip, series: [{ type: "pie", radius: ["58%", "84%"], center: ["50%", "44%"], label: { show: false }, itemStyle: { borderColor: token("--surface"), borderWidth: 2 }, data }] };
  }
  const sideways = kind === "bars-sideways";
  const stacked = kind === "stack";
  const names = { type: "category", data: figures.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: token("--edge") } }, axisLabel: { ...text, hideOverlap: true }, inverse: sideways };
  const whole = figures.series.every((series) => series.values.every((value) => value === null || Number.isInteger(value)));
  const numbers = { type: "value", splitNumber: 4, minInterval: whole ? 1 : undefined, axisLabel: { ...text, hideOverlap: true, formatter: (value: number) => short.format(value) }, splitLine: { lineStyle: { color: token("--line") } } };
  return {
    ...common,
    grid: { left: 4, right: 12, top: 12, bottom: figures.series.length > 1 ? 34 : 6, containLabel: true },
    xAxis: sideways ? numbers : names,
    yAxis: sideways ? names : numbers,
    series: figures.series.map((series, at) => ({
      name: series.name,
      type: kind === "line" ? "line" : "bar",
      stack: stacked ? "all" : undefined,
      data: series.values,
      showSymbol: false,
      smooth: false,
      barMaxWidth: 28,
      lineStyle: { width: 2.25, type: at % 2 ? "dashed" : "solid" },
      itemStyle: { borderRadius: stacked ? 0 : sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      tooltip: { valueFormatter: (value: unknown) => (typeof value === "number" ? series.shown[series.values.indexOf(value)] : "–") },
    })),
  };
}

export function startCharts(plots: Iterable<HTMLElement>): void {
  for (const plot of plots) {
    const table = document.getElementById(plot.dataset["table"] ?? "");
    if (!(table instanceof HTMLTableElement)) continue;
    const chart = echarts.init(plot, undefined, { renderer: "svg" });
    const draw = (): void => chart.setOption(options(plot.dataset["chart"] ?? "line", readTable(table)), true);
    draw();
    new ResizeObserver(() => chart.resize()).observe(plot);
    document.addEventListener("themechange", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }
}
