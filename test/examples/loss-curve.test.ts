// The SVG of a run: its lines go through the losses, as read off its own axes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LossPoint, lossCurveSvg } from '../../examples/autoencoder/loss-curve.ts';

/** The polylines of the SVG's paths, in order, each cut where the line has a gap. */
function pathsOf(svg: string): number[][][][] {
  return [...svg.matchAll(/<path class="[a-z-]+" d="([^"]*)"/g)].map(([, d]) => {
    // A lone point is written Mx,yZ.
    expect(d).toMatch(/^([ML]-?[\d.]+,-?[\d.]+Z?)+$/);
    return d
      .split('M')
      .slice(1)
      .map((run) =>
        run
          .replace('Z', '')
          .split('L')
          .map((pair) => pair.split(',').map(Number)),
      );
  });
}

/** The numbers at the y axis with their places, read from the labels that end at it. */
function yTicks(svg: string): { y: number; value: number }[] {
  return [...svg.matchAll(/<text class="quiet" x="80" y="([\d.]+)"[^>]*>([^<]+)<\/text>/g)].map(
    ([, y, label]) => ({
      y: Number(y) - 4,
      value: Number(label.replace('−', '-').replaceAll(',', '')),
    }),
  );
}

const descent = (count: number, loss: (i: number) => number): LossPoint[] =>
  Array.from({ length: count }, (_, i) => ({ step: 64 * (i + 1), loss: loss(i) }));

describe('lossCurveSvg', () => {
  test.each([
    ['linear', (i: number) => 0.3 - 0.002 * i, (value: number) => value],
    ['logarithmic', (i: number) => 0.5 * 0.95 ** i, Math.log],
  ] as const)('draws the losses where a %s axis says they are', (kind, loss, transform) => {
    const training = descent(100, loss);
    const svg = lossCurveSvg({ title: 'Run', training });
    expect(svg.includes('(log scale)')).toBe(kind === 'logarithmic');
    const ticks = yTicks(svg).filter(({ value }) => value > 0);
    expect(ticks.length).toBeGreaterThanOrEqual(3);
    const [low, high] = [ticks[0], ticks[ticks.length - 1]];
    const slope = (transform(high.value) - transform(low.value)) / (high.y - low.y);
    const [[points]] = pathsOf(svg);
    expect(points).toHaveLength(100);
    training.forEach((point, i) => {
      // Coordinates are written to a tenth of a pixel.
      const read = transform(low.value) + slope * (points[i][1] - low.y);
      expect(Math.abs(read - transform(point.loss))).toBeLessThan(Math.abs(slope) * 0.2);
    });
    const widths = points.slice(1).map(([x], i) => x - points[i][0]);
    for (const width of widths) expect(Math.abs(width - widths[0])).toBeLessThan(0.21);
  });

  test('its running mean runs through the middle of symmetric noise, without lag on a slope', () => {
    const slope = (i: number) => 1 - i / 1200;
    const training = descent(600, (i) => slope(i) + (i % 2 === 0 ? 0.1 : -0.1));
    const clean = pathsOf(lossCurveSvg({ title: '', training, heldOut: descent(600, slope) }));
    const [, mean, held] = clean;
    for (let i = 30; i < 570; i++) expect(Math.abs(mean[0][i][1] - held[0][i][1])).toBeLessThan(4);
  });

  test('a loss that is no number leaves a gap, in the line and in nothing else', () => {
    const training = descent(20, (i) => (i === 7 ? Number.NaN : 1 + i));
    const [batches] = pathsOf(lossCurveSvg({ title: '', training }));
    expect(batches.map((run) => run.length)).toEqual([7, 12]);
  });

  test('a long run makes no longer file, and loses no extreme and no gap', () => {
    // Steps, every one with another loss; a low, a high and a gap within one column of pixels each.
    const special = new Map([
      [54_321, 9],
      [70_007, -9],
      [90_001, Number.NaN],
    ]);
    const training = descent(100_000, (i) => special.get(i) ?? Math.sin(i));
    const svg = lossCurveSvg({ title: '', training });
    expect(svg.length).toBeLessThan(200_000);
    const [batches] = pathsOf(svg);
    expect(batches).toHaveLength(2);
    const ticks = yTicks(svg);
    const [low, high] = [ticks[0], ticks[ticks.length - 1]];
    const heights = batches.flat().map(([, y]) => y);
    const at = (loss: number) => low.y + ((loss - low.value) * (high.y - low.y)) / (high.value - low.value);
    expect(Math.abs(Math.min(...heights) - at(9))).toBeLessThan(0.2);
    expect(Math.abs(Math.max(...heights) - at(-9))).toBeLessThan(0.2);
    // The first and the last point are at the ends of the axis.
    expect(batches[0][0][0]).toBe(88);
    expect(batches[1].at(-1)?.[0]).toBe(776);
  });

  test('steps up to a hundred thousand are written in digits', () => {
    const svg = lossCurveSvg({
      title: '',
      training: descent(1000, (i) => i).map((p, i) => ({ ...p, step: i })),
    });
    expect(svg).toContain('>200</text>');
    expect(lossCurveSvg({ title: '', training: [{ step: 1e6, loss: 1 }] })).toContain('M</text>');
  });

  test('a long title is cut in the picture, not in its name', () => {
    const title = 'word '.repeat(40).trim();
    const svg = lossCurveSvg({ title, training: [] });
    expect(svg).toContain(`<title>${title}</title>`);
    expect(svg).toMatch(/>word [^<]{30,60}…<\/text>/);
  });

  test.each([
    ['negative thousands', (i: number) => -1200 - i],
    ['billions', (i: number) => 1e9 + 1e6 * i],
    ['millionths', (i: number) => 1 + 1e-6 * i],
    ['many decades', (i: number) => 10 ** (-i / 3)],
  ])('labels of %s are short enough for the margin', (_, loss) => {
    const svg = lossCurveSvg({ title: '', training: descent(60, loss) });
    const labels = [...svg.matchAll(/<text [^>]*x="80"[^>]*>([^<]+)<\/text>/g)].map(([, label]) => label);
    expect(labels.length).toBeGreaterThanOrEqual(3);
    for (const label of labels) expect(label.length).toBeLessThanOrEqual(9);
  });

  test('held-out losses are dots, as many as there are', () => {
    const svg = lossCurveSvg({
      title: '',
      training: descent(9, (i) => i),
      heldOut: descent(3, (i) => 2 * i),
    });
    expect(svg.match(/<circle /g)).toHaveLength(3);
    expect(svg).toContain('held out');
    expect(lossCurveSvg({ title: '', training: [] })).not.toContain('held out');
    expect(lossCurveSvg({ title: '', training: descent(1, () => 2) }).match(/<circle /g)).toHaveLength(1);
  });

  test('whatever the losses, all is drawn inside the frame', () => {
    const losses = fc.array(fc.double({ min: -1e100, max: 1e100 }), { maxLength: 40 });
    fc.assert(
      fc.property(losses, losses, (training, heldOut) => {
        const points = (values: number[]) => values.map((loss, i) => ({ step: i + 1, loss }));
        const svg = lossCurveSvg({ title: 'Run', training: points(training), heldOut: points(heldOut) });
        expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
        const places = [
          ...pathsOf(svg).flat(2),
          ...[...svg.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]),
        ];
        for (const [x, y] of places) {
          expect(x >= 0 && x <= 800 && y >= 60 && y <= 400).toBe(true);
        }
      }),
    );
  });

  test('names are text, whatever characters are in them', () => {
    const title = `a < b & "c" > 'd'</svg>`;
    const svg = lossCurveSvg({ title, training: [], xLabel: '<x>', yLabel: '&' });
    expect(svg).toContain("<title>a &lt; b &amp; &quot;c&quot; &gt; 'd'&lt;/svg&gt;</title>");
    expect(svg).toContain('>&lt;x&gt;</text>');
    expect(svg).toContain('>&amp;</text>');
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
  });

  test('each line stands out from the white page, by the 3:1 that WCAG asks of graphics', () => {
    const training = descent(100, (i) => 1 - i / 200);
    const svg = lossCurveSvg({ title: '', training, heldOut: descent(3, () => 0.5) });
    const pens = [...svg.matchAll(/<path [^>]*stroke="#(\w{6})"[^>]*stroke-opacity="([\d.]+)"/g)];
    expect(pens).toHaveLength(3);
    for (const [, colour, opacity] of pens) {
      // Over white, in linear light: WCAG 2.1, relative luminance.
      const [red, green, blue] = [0, 2, 4].map((at) => {
        const channel = 1 + Number(opacity) * (Number.parseInt(colour.slice(at, at + 2), 16) / 255 - 1);
        return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
      });
      expect(1.05 / (0.05 + 0.2126 * red + 0.7152 * green + 0.0722 * blue)).toBeGreaterThanOrEqual(3);
    }
  });
});
