// What a training run looks like: the loss over its steps as an SVG.

import { requireOptions } from '@adjoint/core/options';
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';

/** A loss, and how far training had come when it was measured. */
export interface LossPoint {
  /** In whatever unit the x axis is labelled with. */
  readonly step: number;
  readonly loss: number;
}

/** Options of {@link lossCurveSvg}. */
export interface LossCurveOptions {
  readonly title: string;
  /** The loss of each batch, in order. Points that are no finite number leave a gap in the line. */
  readonly training: readonly LossPoint[];
  /** The loss on images that were not trained on, where it was measured. Default: none. */
  readonly heldOut?: readonly LossPoint[];
  /** What `step` counts. Default `'step'`. */
  readonly xLabel?: string;
  /** What `loss` is. Default `'loss'`. */
  readonly yLabel?: string;
}

const WIDTH = 800;
const HEIGHT = 450;
const PLOT = { left: 72, right: WIDTH - 24, top: 64, bottom: HEIGHT - 56 } as const;

const INK = '#27272a';
const QUIET = '#71717a';
const GRID = '#e4e4e7';
const TRAINING = '#2563eb';
const HELD_OUT = '#ea580c';

type Scale = ScaleContinuousNumeric<number, number>;

/**
 * An SVG file of the loss: each batch in a faint line, their running mean in a strong one, held-out losses as dots.
 *
 * The loss axis is logarithmic when the losses are positive and span a factor of ten or more, and linear if not.
 *
 * @example
 * ```ts
 * lossCurveSvg({ title: 'Autoencoder', training: [{ step: 64, loss: 0.23 }] }).startsWith("<svg"); // true
 * ```
 */
export function lossCurveSvg(options: LossCurveOptions): string {
  requireOptions('lossCurveSvg', options, ['title', 'training', 'heldOut', 'xLabel', 'yLabel']);
  const { title, training, heldOut = [], xLabel = 'step', yLabel = 'loss' } = options;
  const finite = [...training, ...heldOut].filter(isFinitePoint);
  const x = scaleLinear(padded(finite.map((point) => point.step)), [PLOT.left, PLOT.right]);
  const { scale: y, logarithmic } = lossScale(finite.map((point) => point.loss));
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text({ x: PLOT.left, y: 30, content: title, fill: INK, size: 18, weight: 600 }),
    axes({ x, y, xLabel, yLabel: logarithmic ? `${yLabel} (log scale)` : yLabel }),
    curve(training, { x, y }, { stroke: TRAINING, width: 1, opacity: 0.3 }),
    curve(runningMean(training), { x, y }, { stroke: TRAINING, width: 2.25, opacity: 1 }),
    curve(heldOut, { x, y }, { stroke: HELD_OUT, width: 1.5, opacity: 1 }),
    // A line through one point is nothing: dots are seen however few there are.
    dots(training.length === 1 ? training : [], { x, y }, TRAINING),
    dots(heldOut, { x, y }, HELD_OUT),
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

/** The mean over the neighbours on both sides, a sixtieth of the run each, so that it does not lag behind a descent. */
function runningMean(points: readonly LossPoint[]): LossPoint[] {
  const reach = Math.floor(points.length / 60);
  return points.map((point, i) => {
    if (!isFinitePoint(point)) return point;
    // Fewer at the start, where the loss falls fastest; at the end it is flat, and one side alone serves.
    const near = Math.min(reach, i);
    const finite = points.slice(i - near, i + near + 1).filter(isFinitePoint);
    return { step: point.step, loss: finite.reduce((sum, { loss }) => sum + loss, 0) / finite.length };
  });
}

interface Plane {
  readonly x: Scale;
  readonly y: Scale;
}

function curve(
  points: readonly LossPoint[],
  { x, y }: Plane,
  pen: { readonly stroke: string; readonly width: number; readonly opacity: number },
): string {
  const path = line<LossPoint>()
    .defined(isFinitePoint)
    .x((point) => x(point.step))
    .y((point) => y(point.loss))
    .digits(1)(points);
  if (path === null) return '';
  return (
    `<path d="${path}" fill="none" stroke="${pen.stroke}" stroke-width="${pen.width}"` +
    ` stroke-opacity="${pen.opacity}" stroke-linejoin="round" stroke-linecap="round"/>`
  );
}

function dots(points: readonly LossPoint[], { x, y }: Plane, fill: string): string {
  return points
    .filter(isFinitePoint)
    .map(({ step, loss }) => `<circle cx="${pixel(x(step))}" cy="${pixel(y(loss))}" r="3.5" fill="${fill}"/>`)
    .join('\n');
}

function axes({
  x,
  y,
  xLabel,
  yLabel,
}: Plane & { readonly xLabel: string; readonly yLabel: string }): string {
  const xFormat = x.tickFormat(8, '~s');
  const yFormat = y.tickFormat(6, '~g');
  const rows = y.ticks(6).map((tick) => {
    const at = pixel(y(tick));
    const grid = `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="${GRID}"/>`;
    const label = yFormat(tick);
    return grid + text({ x: PLOT.left - 8, y: at + 4, content: label, anchor: 'end' });
  });
  const columns = x.ticks(8).map((tick) => {
    const at = pixel(x(tick));
    const mark = `<line x1="${at}" x2="${at}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="${INK}"/>`;
    return mark + text({ x: at, y: PLOT.bottom + 20, content: xFormat(tick), anchor: 'middle' });
  });
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return [
    ...rows,
    ...columns,
    `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}" stroke="${INK}"/>`,
    text({ x: (PLOT.left + PLOT.right) / 2, y: HEIGHT - 14, content: xLabel, anchor: 'middle', size: 13 }),
    `<g transform="translate(20 ${middle}) rotate(-90)">${text({ x: 0, y: 0, content: yLabel, anchor: 'middle', size: 13 })}</g>`,
  ].join('\n');
}

function legend(withHeldOut: boolean): string {
  const entries = [
    { name: 'training, each batch', stroke: TRAINING, width: 1, opacity: 0.3 },
    { name: 'training, running mean', stroke: TRAINING, width: 2.25, opacity: 1 },
    ...(withHeldOut ? [{ name: 'held out', stroke: HELD_OUT, width: 1.5, opacity: 1 }] : []),
  ];
  return entries
    .map(({ name, stroke, width, opacity }, i) => {
      const left = PLOT.left + i * 180;
      return (
        `<line x1="${left}" x2="${left + 24}" y1="48" y2="48" stroke="${stroke}" stroke-width="${width}"` +
        ` stroke-opacity="${opacity}"/>${text({ x: left + 30, y: 52, content: name })}`
      );
    })
    .join('\n');
}

interface Text {
  readonly x: number;
  readonly y: number;
  readonly content: string;
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function text({ x, y, content, fill = QUIET, size = 12, weight = 400, anchor = 'start' }: Text): string {
  return (
    `<text x="${x}" y="${y}" fill="${fill}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">` +
    `${escapeXml(content)}</text>`
  );
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it stands in XML and HTML, attributes included. */
export function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
