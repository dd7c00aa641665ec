// What a training run looks like: the loss over its steps as an SVG.

import { requireArgument, requireOptions } from '@adjoint/core/options';
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';

/** A loss, and how far training had come when it was measured. */
export interface LossPoint {
  /** In whatever unit the x axis is labelled with. */
  readonly step: number;
  /** The loss there. */
  readonly loss: number;
}

/** Options of {@link lossCurveSvg}. */
export interface LossCurveOptions {
  /** What stands above the curve. */
  readonly title: string;
  /** The loss of each batch, in order. Points that are no finite number leave a gap in the line. */
  readonly training: readonly LossPoint[];
  /** The loss on what was not trained on, where it was measured. Default: none. */
  readonly heldOut?: readonly LossPoint[] | undefined;
  /** What `step` counts. Default `'step'`. */
  readonly xLabel?: string | undefined;
  /** What `loss` is. Default `'loss'`. */
  readonly yLabel?: string | undefined;
}

const WIDTH = 800;
const HEIGHT = 450;
const PLOT = { left: 88, right: WIDTH - 24, top: 64, bottom: HEIGHT - 56 } as const;

const COLOURS = { ink: '#27272a', quiet: '#71717a', grid: '#e4e4e7' } as const;

interface Pen {
  readonly kind: 'training' | 'training-mean' | 'held-out';
  readonly colour: string;
  readonly width: number;
  readonly opacity: number;
}

// Each stands out from the page by the 3:1 that WCAG 2.1 asks of graphics.
const PENS = {
  batches: { kind: 'training', colour: '#2563eb', width: 1, opacity: 0.7 },
  mean: { kind: 'training-mean', colour: '#1e3a8a', width: 2.5, opacity: 1 },
  heldOut: { kind: 'held-out', colour: '#ea580c', width: 1.5, opacity: 1 },
} as const satisfies Readonly<Record<string, Pen>>;

// Longer titles would run out of the picture; the whole one stands in the SVG's `<title>`.
const TITLE_LENGTH = 60;
// Points of a curve that are drawn as they are; of more, several share a pixel.
const POINTS = 4 * (PLOT.right - PLOT.left);

type Scale = ScaleContinuousNumeric<number, number>;

/**
 * An SVG file of the loss: each batch in a thin line, their running mean in a strong one, held-out losses as dots.
 *
 * The loss axis is logarithmic when the losses are positive and span a factor of ten or more, and linear if not. Of very long curves what a
 * column of pixels shows is drawn (the first, lowest, highest and last loss), so that the file stays small.
 *
 * Colours are set as attributes and can be changed by CSS: the classes are `page`, `ink`, `quiet`, `grid`, `axis`, `training`, `training-mean` and `held-out`.
 *
 * @example
 * ```ts
 * lossCurveSvg({ title: 'Autoencoder', training: [{ step: 64, loss: 0.23 }] }).startsWith("<svg"); // true
 * ```
 */
export function lossCurveSvg(options: LossCurveOptions): string {
  requireOptions('lossCurveSvg', options, {
    title: 'string',
    training: 'list',
    heldOut: 'list',
    xLabel: 'string',
    yLabel: 'string',
  });
  requireArgument('lossCurveSvg', 'title', options.title, 'string');
  requireArgument('lossCurveSvg', 'training', options.training, 'list');
  const { title, training, heldOut = [], xLabel = 'step', yLabel = 'loss' } = options;
  const finite = [...training, ...heldOut].filter(isFinitePoint);
  const x = scaleLinear(padded(finite.map((point) => point.step)), [PLOT.left, PLOT.right]);
  const { scale: y, logarithmic } = lossScale(finite.map((point) => point.loss));
  const drawn = drawnPoints(training, x);
  const parts = [
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text({ x: PLOT.left, y: 30, content: shortened(title), kind: 'ink', size: 18, weight: 600 }),
    axes({ x, y, xLabel, yLabel: logarithmic ? `${yLabel} (log scale)` : yLabel, logarithmic }),
    curve(
      drawn.map((i) => training[i]),
      { x, y },
      PENS.batches,
    ),
    curve(runningMean(training, drawn), { x, y }, PENS.mean),
    curve(heldOut, { x, y }, PENS.heldOut),
    // A line through one point is nothing: dots are seen however few there are.
    dots(training.length === 1 ? training : [], { x, y }, PENS.mean),
    dots(heldOut, { x, y }, PENS.heldOut),
    legend(heldOut.length > 0),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`,
    ` font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img">\n`,
    `<title>${escapeXml(title)}</title>\n`,
    parts.filter((part) => part !== '').join('\n'),
    '\n</svg>\n',
  ].join('');
}

function isFinitePoint({ step, loss }: LossPoint): boolean {
  return Number.isFinite(step) && Number.isFinite(loss);
}

/** Least and greatest; room to either side if these are as good as one, and 0 to 1 if there are none. */
function padded(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const magnitude = Math.max(Math.abs(low), Math.abs(high));
  if (magnitude < 1e-200) return [low - 1, high + 1];
  // Ticks closer than the numbers themselves do not exist.
  const room = high - low > 1e-9 * magnitude ? 0 : magnitude / 2;
  return [low - room, high + room];
}

function lossScale(losses: readonly number[]): { scale: Scale; logarithmic: boolean } {
  const [low, high] = padded(losses);
  const range = [PLOT.bottom, PLOT.top];
  if (low <= 0 || high / low < 10) {
    return { scale: scaleLinear([low, high], range).nice(), logarithmic: false };
  }
  // Not made nice: that would round to whole decades, most of them empty.
  return { scale: scaleLog([low / 1.1, high * 1.1], range), logarithmic: true };
}

/** The places of the points to draw: all, or of too many in a column of pixels the first, the lowest, the highest and the last. */
function drawnPoints(points: readonly LossPoint[], x: Scale): number[] {
  const all = points.map((_, i) => i);
  if (points.length <= POINTS) return all;
  // What cannot be drawn is a column of its own: the gap stays.
  const column = (i: number): number | null =>
    isFinitePoint(points[i]) ? Math.round(x(points[i].step)) : null;
  const drawn: number[] = [];
  for (let start = 0, end = 0; start < points.length; start = end) {
    const here = column(start);
    let [lowest, highest] = [start, start];
    for (end = start + 1; end < points.length && column(end) === here; end++) {
      if (points[end].loss < points[lowest].loss) lowest = end;
      if (points[end].loss > points[highest].loss) highest = end;
    }
    drawn.push(...new Set([start, lowest, highest, end - 1].sort((a, b) => a - b)));
  }
  return drawn;
}

/**
 * The mean at some of the points, over the neighbours on both sides, a sixtieth of the run each, so that it does not lag behind a descent.
 */
function runningMean(points: readonly LossPoint[], places: readonly number[]): LossPoint[] {
  const reach = Math.floor(points.length / 60);
  return places.map((i) => {
    if (!isFinitePoint(points[i])) return points[i];
    // Fewer at the start, where the loss falls fastest; at the end it is flat, and one side alone serves.
    const near = Math.min(reach, i);
    let [sum, count] = [0, 0];
    for (let k = i - near; k <= Math.min(i + near, points.length - 1); k++) {
      if (!isFinitePoint(points[k])) continue;
      sum += points[k].loss;
      count++;
    }
    return { step: points[i].step, loss: sum / count };
  });
}

interface Plane {
  readonly x: Scale;
  readonly y: Scale;
}

function curve(points: readonly LossPoint[], { x, y }: Plane, pen: Pen): string {
  const path = line<LossPoint>()
    .defined(isFinitePoint)
    .x((point) => x(point.step))
    .y((point) => y(point.loss))
    .digits(1)(points);
  if (path === null) return '';
  return `<path class="${pen.kind}" d="${path}" fill="none" ${strokeOf(pen)} stroke-linejoin="round" stroke-linecap="round"/>`;
}

function strokeOf({ colour, width, opacity }: Pen): string {
  return `stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"`;
}

function dots(points: readonly LossPoint[], { x, y }: Plane, { kind, colour }: Pen): string {
  return points
    .filter(isFinitePoint)
    .map(
      ({ step, loss }) =>
        `<circle class="${kind}" cx="${pixel(x(step))}" cy="${pixel(y(loss))}" r="3.5" fill="${colour}"/>`,
    )
    .join('\n');
}

interface Axes extends Plane {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logarithmic: boolean;
}

function axes({ x, y, xLabel, yLabel, logarithmic }: Axes): string {
  // Thousands in digits, and only what is longer by k, M, G.
  const xFormat = x.domain()[1] < 1e5 ? x.tickFormat(8) : x.tickFormat(8, '~s');
  const yFormat = lossFormat(y, logarithmic);
  const rows = y.ticks(6).map((tick) => {
    const at = pixel(y(tick));
    const grid = `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="${COLOURS.grid}"/>`;
    const label = yFormat(tick);
    return label === '' ? grid : grid + text({ x: PLOT.left - 8, y: at + 4, content: label, anchor: 'end' });
  });
  const columns = x.ticks(8).map((tick) => {
    const at = pixel(x(tick));
    const mark = `<line class="axis" x1="${at}" x2="${at}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="${COLOURS.ink}"/>`;
    return mark + text({ x: at, y: PLOT.bottom + 20, content: xFormat(tick), anchor: 'middle' });
  });
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return [
    ...rows,
    ...columns,
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}" stroke="${COLOURS.ink}"/>`,
    text({ x: (PLOT.left + PLOT.right) / 2, y: HEIGHT - 14, content: xLabel, anchor: 'middle', size: 13 }),
    `<g transform="translate(18 ${middle}) rotate(-90)">${text({ x: 0, y: 0, content: yLabel, anchor: 'middle', size: 13 })}</g>`,
  ].join('\n');
}

/** How losses are written at their axis: as digits where these are few, else with an exponent; of a logarithmic axis 1, 2 and 5 only. */
function lossFormat(y: Scale, logarithmic: boolean): (tick: number) => string {
  if (!logarithmic) {
    const plain = y.tickFormat(6);
    return y.ticks(6).every((tick) => plain(tick).length <= 8) ? plain : y.tickFormat(6, '~e');
  }
  const [low, high] = y.domain();
  const leading = high / low < 1000 ? ['1', '2', '5'] : ['1'];
  const format = y.tickFormat(Infinity, '~g');
  return (tick) => (leading.includes(tick.toExponential(0)[0]) ? format(tick) : '');
}

function legend(withHeldOut: boolean): string {
  const entries = [
    { name: 'training, each batch', pen: PENS.batches },
    { name: 'training, running mean', pen: PENS.mean },
    ...(withHeldOut ? [{ name: 'held out', pen: PENS.heldOut }] : []),
  ];
  return entries
    .map(({ name, pen }, i) => {
      const left = PLOT.left + i * 204;
      const sample = `<line class="${pen.kind}" x1="${left}" x2="${left + 24}" y1="48" y2="48" ${strokeOf(pen)}/>`;
      return sample + text({ x: left + 30, y: 52, content: name });
    })
    .join('\n');
}

interface Text {
  readonly x: number;
  readonly y: number;
  readonly content: string;
  readonly kind?: 'ink' | 'quiet';
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function text({ x, y, content, kind = 'quiet', size = 12, weight = 400, anchor = 'start' }: Text): string {
  return (
    `<text class="${kind}" x="${x}" y="${y}" fill="${COLOURS[kind]}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">` +
    `${escapeXml(content)}</text>`
  );
}

function shortened(title: string): string {
  const characters = Array.from(title);
  return characters.length <= TITLE_LENGTH
    ? title
    : `${characters
        .slice(0, TITLE_LENGTH - 1)
        .join('')
        .trimEnd()}…`;
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it stands in XML and HTML, attributes included. */
export function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
