/**
 * Medians, and how figures are written.
 *
 * @module
 */

/** The middle one, or the mean of the two in the middle. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `12,345` or `1.23`. */
export function figure(number, digits = 0) {
  return Number.isFinite(number) ? number.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }) : '–';
}

/** `1.23 (1.20–1.30)`: the median and the least and greatest. */
export function spread(numbers, digits = 0) {
  const middle = figure(median(numbers), digits);
  return numbers.length < 2 || middle === '–'
    ? middle
    : `${middle} (${figure(Math.min(...numbers), digits)}–${figure(Math.max(...numbers), digits)})`;
}
