import type { BarSeriesOption } from 'echarts';
import { sum } from './statistics.ts';

/** Distinguishable in both colour schemes and by colour-blind readers (Okabe and Ito's palette). */
export const COLOURS = {
  blue: '#0072b2',
  sky: '#56b4e9',
  green: '#009e73',
  orange: '#e69f00',
  vermilion: '#d55e00',
  pink: '#cc79a7',
  grey: '#999999',
} as const;

/** Bars, horizontal unless `upright`. */
export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  /** One group of bars each, from the top down, or from the left. */
  readonly rows: readonly string[];
  /** Upright bars without values, for many rows. */
  readonly upright?: boolean;
  readonly series: readonly {
    readonly name: string;
    readonly colour: string;
    readonly values: readonly number[];
  }[];
  /** The text after each row's stack; without it the series are side by side, each bar labelled with its value. */
  readonly totals?: readonly string[];
  /** Dashed vertical lines. */
  readonly limits?: readonly { readonly value: number; readonly label: string }[];
}

const WIDTH = 860;
const UPRIGHT_HEIGHT = 340;

/** Follows the reader's colour scheme, which ECharts cannot know. */
const STYLE =
  '<style>svg>rect{fill:#fff}text{fill:#24292f;stroke:none}@media(prefers-color-scheme:dark){svg>rect{fill:#0d1117}text{fill:#d1d7e0}}</style>';

/** @returns an SVG document of one line. @param footer what was measured on */
export async function renderChart(chart: Chart, footer: string): Promise<string> {
  const { init } = await import('echarts');
  const { rows, series, totals, limits = [], upright = false } = chart;
  const label = { show: true, position: 'right' as const };
  const bars: BarSeriesOption[] = series.map(({ name, colour, values }) => ({
    type: 'bar',
    name,
    data: [...values],
    color: colour,
    ...(totals ? { stack: 'all' } : upright ? {} : { label }),
  }));
  const ends: BarSeriesOption = {
    type: 'bar',
    stack: 'all',
    data: rows.map(() => 0),
    label: { ...label, formatter: ({ dataIndex }) => totals?.[dataIndex] ?? '' },
    markLine: {
      symbol: 'none',
      lineStyle: { color: COLOURS.vermilion },
      label: { formatter: '{b}', position: 'start' },
      data: limits.map(({ value, label: name }) => ({ xAxis: value, name })),
    },
  };
  const legendLines = Math.ceil(sum(series.map(({ name }) => name.length * 7 + 50)) / WIDTH);
  const top = 46 + 34 * legendLines + (limits.length > 0 ? 14 : 0);
  const stacks = rows.map((_, i) => sum(series.map(({ values }) => values[i] ?? 0)));
  const height = upright ? UPRIGHT_HEIGHT : top + 60 + rows.length * (totals ? 25 : 12 + 17 * series.length);
  const names = { type: 'category' as const, data: [...rows], axisTick: { show: false } };
  const values = {
    type: 'value' as const,
    splitLine: { lineStyle: { color: 'rgba(128,128,128,0.25)' } },
    axisLabel: { showMaxLabel: false },
    max: totals ? 1.01 * Math.max(...stacks, ...limits.map(({ value }) => value)) : ('dataMax' as const),
  };
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  drawing.setOption({
    animation: false,
    title: [
      { text: chart.title, subtext: chart.subtitle, left: 10, top: 8, itemGap: 6 },
      { subtext: footer, left: 10, bottom: 0 },
    ],
    legend: { left: 12, top: 52, itemWidth: 14, itemGap: 20, data: series.map(({ name }) => name) },
    grid: { left: 16, right: 100, top, bottom: 34, containLabel: true },
    xAxis: upright ? names : values,
    yAxis: upright ? values : { ...names, inverse: true },
    series: totals ? [...bars, ends] : bars,
  });
  const svg = drawing.renderToSVGString();
  drawing.dispose();
  return svg
    .replace(/<style[\s\S]*?<\/style>/, STYLE)
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replaceAll('\n', '')
    .concat('\n');
}
