/**
 * How likely a chi-squared variable with so many degrees of freedom is at least x: the regularised upper incomplete
 * gamma function Q(df/2, x/2), by its series or its continued fraction (Abramowitz and Stegun 6.5.29 and 6.5.31).
 */
export function chiSquaredTail(x: number, degreesOfFreedom: number): number {
  if (x <= 0 || degreesOfFreedom < 1) return 1;
  const [a, half] = [degreesOfFreedom / 2, x / 2];
  const front = Math.exp(a * Math.log(half) - half - logGamma(a));
  return half < a + 1 ? Math.max(0, 1 - front * lowerSeries(a, half)) : front * upperFraction(a, half);
}

/** How likely a standard normal variable lies at least as far from 0 as z, on either side. */
export const normalTails = (z: number): number => chiSquaredTail(z * z, 1);

const mostSteps = 10_000;
const smallest = 1e-300;
const precision = 1e-16;

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < mostSteps && term > sum * precision; n++) sum += term *= x / (a + n);
  return sum;
}

/** Lentz's method. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / smallest;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < mostSteps; n++) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / nonZero(step * d + b);
    c = nonZero(b + step / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < precision) break;
  }
  return fraction;
}

const nonZero = (value: number): number => (Math.abs(value) < smallest ? smallest : value);

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** The logarithm of the gamma function of a >= 1/2, by Lanczos' approximation with g = 7. */
function logGamma(a: number): number {
  const x = a - 1;
  const sum = lanczos.reduce((before, coefficient, n) => before + coefficient / (x + n + 1), 0.9999999999998099);
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}
