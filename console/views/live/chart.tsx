import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { formatClock } from '../../parts/amounts.ts';
import type { ChartDefinition, Line } from './chart-definitions.ts';
import type { Point } from './metrics-history.ts';
import type { Plot } from './plot.ts';

/** One chart: drawn, its latest values as text, and the last ones as a table. */
export interface ChartProps {
  readonly chart: ChartDefinition;
  /** Its place in each point's values. */
  readonly index: number;
  readonly points: readonly Point[];
}

export function Chart({ chart, index, points }: ChartProps) {
  const id = useId();
  const figure = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const [plot, setPlot] = useState<Plot>();
  const [isMissing, setMissing] = useState(false);

  useEffect(() => {
    let isEnded = false;
    let made: Plot | undefined;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => made?.redraw();
    dark.addEventListener('change', redraw);
    import('./plot.ts')
      .then(({ createPlot }) => {
        if (isEnded || !figure.current || !legend.current) return;
        made = createPlot(figure.current, plotOptions(chart, figure.current, legend.current));
        setPlot(made);
      })
      .catch(() => setMissing(true));
    return () => {
      isEnded = true;
      dark.removeEventListener('change', redraw);
      made?.end();
    };
  }, [chart]);

  useEffect(() => {
    const times = points.map(({ at }) => at / 1_000);
    const lines = chart.lines.map((_, line) =>
      points.map(({ values }) => values[index]?.[line] ?? null),
    );
    plot?.show(times, lines);
  }, [plot, points, chart, index]);

  const latest = points.at(-1)?.values[index] ?? [];
  return (
    <section class="panel chart" aria-labelledby={id}>
      <h3 id={id}>{chart.title}</h3>
      <ul ref={legend} class="plain legend">
        {chart.lines.map((line, at) => (
          <li key={line.name}>
            <Swatch line={line} />
            {line.name} <strong>{shown(chart, latest[at])}</strong>
          </li>
        ))}
      </ul>
      <div ref={figure} class="plot" aria-hidden="true" />
      {isMissing && (
        <p class="hint">The drawing could not be loaded: the values are below as a table.</p>
      )}
      {chart.hint !== undefined && <p class="hint">{chart.hint}</p>}
      <LastValues chart={chart} index={index} points={points} />
    </section>
  );
}

/** Shows the line's colour and its dashes, and is where the canvas gets the colour from. */
function Swatch({ line }: { line: Line }) {
  return (
    <svg class={`swatch ${line.tone}`} viewBox="0 0 28 4" aria-hidden="true">
      <line x1="0" y1="2" x2="28" y2="2" stroke-dasharray={line.dash?.join(' ')} />
    </svg>
  );
}

const LAST = 10;

function LastValues({ chart, index, points }: ChartProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Last values</summary>
      {isOpen && (
        <div class="scrolls">
          <table>
            <caption class="visually-hidden">{chart.title}, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {chart.lines.map(({ name }) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points
                .slice(-LAST)
                .reverse()
                .map(({ at, values }) => (
                  <tr key={at}>
                    <th scope="row">{formatClock(at)}</th>
                    {chart.lines.map(({ name }, line) => (
                      <td key={name} class="number">
                        {shown(chart, values[index]?.[line])}
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function shown({ format }: ChartDefinition, value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : format(value);
}

/** A canvas knows no variables of CSS, and those of light and dark are resolved only where they are used. */
function plotOptions(chart: ChartDefinition, figure: Element, legend: Element) {
  const swatches = [...legend.querySelectorAll('.swatch')];
  return {
    format: chart.format,
    isBytes: chart.isBytes ?? false,
    textColour: () => getComputedStyle(figure).color,
    gridColour: () => getComputedStyle(figure).outlineColor,
    lines: chart.lines.map(({ dash }, at) => ({
      dash,
      colour: () => getComputedStyle(swatches[at] ?? figure).color,
    })),
  };
}
