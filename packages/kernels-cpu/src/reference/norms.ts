// Normalisations and their gradients, in double precision, a set of elements at a time.

import type { FloatArray, Kernels, NormGeometry, NormParameters } from '../kernels.ts';

/** How many sets there are that are normalised together. */
function setCount({ batch, groups, over }: NormGeometry): number {
  return over === 'sample' ? batch * groups : groups;
}

/** Calls `visit` with the first element and the parameter's place of every run of `places` elements of a set. */
function eachRun(
  { batch, groups, channels, places, over }: NormGeometry,
  set: number,
  visit: (start: number, parameter: number) => void,
): void {
  const group = set % groups;
  const [first, last] = over === 'sample' ? [(set - group) / groups, (set - group) / groups + 1] : [0, batch];
  for (let sample = first; sample < last; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const parameter = group * channels + channel;
      visit((sample * groups * channels + parameter) * places, parameter);
    }
  }
}

/** Elements in a set. */
function setSize({ batch, channels, places, over }: NormGeometry): number {
  return (over === 'sample' ? 1 : batch) * channels * places;
}

/** Mean (0 unless centred) and mean square deviation from it. */
function momentsOf(g: NormGeometry, set: number, x: FloatArray): [mean: number, variance: number] {
  const { places } = g;
  const count = setSize(g);
  let mean = 0;
  if (g.centred) {
    eachRun(g, set, (start) => {
      for (let i = start; i < start + places; i++) mean += x[i];
    });
    mean /= count;
  }
  let [squares, drift] = [0, 0];
  eachRun(g, set, (start) => {
    for (let i = start; i < start + places; i++) {
      const difference = x[i] - mean;
      squares += difference * difference;
      drift += difference;
    }
  });
  if (!g.centred) return [0, squares / count];
  // The rounded mean is off by drift / count (Chan, Golub and LeVeque 1983); an infinite one is what it is.
  const nearest = Number.isFinite(mean) ? mean + drift / count : mean;
  return [nearest, (squares - (drift * drift) / count) / count];
}

function applySet(
  g: NormGeometry,
  set: number,
  x: FloatArray,
  { weight, bias }: NormParameters,
  [mean, rstd]: readonly [number, number],
  y: FloatArray,
): void {
  eachRun(g, set, (start, p) => {
    for (let i = start; i < start + g.places; i++) y[i] = (x[i] - mean) * rstd * weight[p] + bias[p];
  });
}

export const normalise: Kernels['normalise'] = (g, x, affine, y, moments) => {
  for (let set = 0; set < setCount(g); set++) {
    const [centre, variance] = momentsOf(g, set, x);
    const scale = 1 / Math.sqrt(variance + g.eps);
    if (moments !== null) {
      moments.mean[set] = centre;
      moments.rstd[set] = scale;
      moments.variance[set] = variance;
    }
    applySet(g, set, x, affine, [centre, scale], y);
  }
};

export const normaliseBy: Kernels['normaliseBy'] = (g, x, affine, { mean, rstd }, y) => {
  for (let set = 0; set < setCount(g); set++) applySet(g, set, x, affine, [mean[set], rstd[set]], y);
};

export const normaliseGrad: Kernels['normaliseGrad'] = (g, cotangent, x, weight, statistics, gradients) => {
  const { places, centred } = g;
  const { mean, rstd } = statistics;
  const out = gradients.x;
  const count = setSize(g);
  for (let set = 0; set < setCount(g); set++) {
    const [centre, scale] = [mean[set], rstd[set]];
    let [sum, product] = [0, 0];
    eachRun(g, set, (start, p) => {
      for (let i = start; i < start + places; i++) {
        const c = cotangent[i] * weight[p];
        sum += c;
        product += c * (x[i] - centre) * scale;
      }
    });
    const [average, slope] = [centred ? sum / count : 0, product / count];
    eachRun(g, set, (start, p) => {
      for (let i = start; i < start + places; i++)
        out[i] = scale * (cotangent[i] * weight[p] - average - (x[i] - centre) * scale * slope);
    });
  }
  if (gradients.weight !== null) normaliseWeightGrad(g, cotangent, x, statistics, gradients.weight);
};

export const normaliseWeightGrad: Kernels['normaliseWeightGrad'] = (g, cotangent, x, { mean, rstd }, out) => {
  const sums = new Float64Array(out.length);
  for (let set = 0; set < setCount(g); set++) {
    eachRun(g, set, (start, p) => {
      for (let i = start; i < start + g.places; i++) sums[p] += cotangent[i] * (x[i] - mean[set]) * rstd[set];
    });
  }
  out.set(sums);
};
