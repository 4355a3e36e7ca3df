import UPlot from 'uplot';
import { formatClock } from '../../parts/amounts.ts';
import 'uplot/dist/uPlot.min.css';

/** Lines over time on a canvas; loaded when there is one to draw. */

export interface PlotLine {
  readonly dash: readonly number[] | undefined;
  readonly colour: () => string;
}

export interface PlotOptions {
  readonly lines: readonly PlotLine[];
  readonly format: (value: number) => string;
  readonly isBytes: boolean;
  readonly textColour: () => string;
  readonly gridColour: () => string;
}

export interface Plot {
  /** Seconds since 1970, and for each line its values. */
  show(times: readonly number[], values: readonly (readonly (number | null)[])[]): void;
  /** After the colours have changed. */
  redraw(): void;
  end(): void;
}

const HEIGHT_PX = 130;
/** A few readings are not stretched over the whole width. */
const LEAST_SECONDS = 60;
const POWERS_OF_TWO = Array.from({ length: 60 }, (_, power) => 2 ** power);

const minutes = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });

export function createPlot(element: HTMLElement, options: PlotOptions): Plot {
  const { lines, format, isBytes, textColour, gridColour } = options;
  const axis = {
    stroke: textColour,
    grid: { stroke: gridColour, width: 1 },
    ticks: { stroke: gridColour, width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
  };
  const plot = new UPlot(
    {
      width: Math.max(1, element.clientWidth),
      height: HEIGHT_PX,
      padding: [8, 28, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: (_plot, least, most) => [Math.min(least, most - LEAST_SECONDS), most] },
        y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          space: 95,
          values: (_plot, ticks, _axis, _space, step) =>
            ticks.map((tick) =>
              step < 60 ? formatClock(tick * 1_000) : minutes.format(tick * 1_000),
            ),
        },
        {
          ...axis,
          size: 74,
          space: 28,
          values: (_plot, ticks) => ticks.map(format),
          ...(isBytes ? { incrs: POWERS_OF_TWO } : {}),
        },
      ],
      series: [
        {},
        ...lines.map(({ dash, colour }) => ({
          stroke: colour,
          width: 1.75,
          points: { size: 4 },
          ...(dash ? { dash: [...dash] } : {}),
        })),
      ],
    },
    [[], ...lines.map(() => [])],
    element,
  );
  const observer = new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width > 0) plot.setSize({ width, height: HEIGHT_PX });
  });
  observer.observe(element);

  return {
    show: (times, values) => plot.setData([[...times], ...values.map((line) => [...line])]),
    redraw: () => plot.redraw(false, true),
    end() {
      observer.disconnect();
      plot.destroy();
    },
  };
}
