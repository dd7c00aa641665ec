// An op of one's own: log cosh, computed without overflow, with its derivative rule; and the checks that find a wrong one.
//
//     node --import tsx examples/custom-op.ts

import {
  apply,
  defineOp,
  gradcheck,
  gradgradcheck,
  mean,
  mul,
  neg,
  sub,
  type Tensor,
  tanh,
  tensor,
  vjpRule,
} from '@adjoint/core';

// Takes the derivative rule, so that a wrong one can be tried too.
const defineLogCosh = (name: string, rule: (g: Tensor, x: Tensor) => Tensor) =>
  defineOp({
    name,
    operands: ['x'],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    // log cosh x = |x| + log(1 + e^(−2|x|)) − log 2: cosh itself overflows beyond 710.
    forward: ([x], out) => {
      for (let i = 0; i < out.length; i++) {
        const size = Math.abs(x.data[i]);
        out[i] = size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
      }
    },
    vjps: [vjpRule('x', rule)],
    forwardMode: 'elementwise',
  });

const logCoshOp = defineLogCosh('logCosh', (g, x) => mul(g, tanh(x)));
const logCosh = (x: Tensor): Tensor => apply(logCoshOp, [x], undefined);

const x = tensor([-800, -1.5, -0.2, 0, 0.7, 3], { dtype: 'float64', requiresGrad: true });
const loss = mean(logCosh(sub(x, 0.5)));
loss.backward();
console.log(`loss ${loss.item().toFixed(6)}`);
console.log(`gradient ${x.grad}`);

// Against differences, to first and second order; the rule is written in ops, so the second derivative is there.
const probe = tensor([-1.5, -0.2, 0.4, 2], { dtype: 'float64' });
console.log(`gradcheck: ${gradcheck(logCosh, [probe]).ok}`);
console.log(`gradgradcheck: ${gradgradcheck(logCosh, [probe]).ok}`);

// The same op with a sign forgotten: the report says what is wrong.
const wrongOp = defineLogCosh('wrongLogCosh', (g, x) => mul(g, neg(tanh(x))));
const report = gradcheck((input) => apply(wrongOp, [input], undefined), [probe]);
console.log(`\nwith a sign forgotten, gradcheck: ${report.ok}\n${report.pairs[0].verdict.text}`);
