/** What a trial must show. All of it is said before the trial fails, so that one bound does not hide the others. */
export class Bounds {
  /** @readonly @type {string[]} */
  #broken = [];

  /** @param {string} what @param {number} value @param {number} bound */
  atMost(what, value, bound) {
    this.#tell(value <= bound, `${what}: ${shown(value)}, at most ${shown(bound)}`);
  }

  /** @param {string} what @param {number} value @param {number} bound */
  atLeast(what, value, bound) {
    this.#tell(value >= bound, `${what}: ${shown(value)}, at least ${shown(bound)}`);
  }

  /** @param {boolean} isKept @param {string} text */
  #tell(isKept, text) {
    console.log(`${isKept ? 'holds' : 'BROKEN'}  ${text}`);
    if (!isKept) this.#broken.push(text);
  }

  /** Throws when one did not hold. */
  end() {
    if (this.#broken.length > 0) throw new Error(this.#broken.join('; '));
  }
}

/** @param {number} value */
function shown(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
