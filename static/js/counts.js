// @ts-check
/**
 * The numbers of a job. Answers and live messages bring new values, not differences, and may
 * arrive in any order: of each number the one from the newest change stays. Pure.
 * @typedef {Record<string, { value: number, change: number }>} Counts
 */

/**
 * @param {Counts} known
 * @param {Record<string, number>} moved
 * @param {number | null} change the change that moved them; null: read afresh, stays until the next
 * @returns {Counts}
 */
export function merged(known, moved, change) {
  const counts = { ...known };
  for (const [key, value] of Object.entries(moved)) {
    const last = known[key]?.change ?? 0;
    if (change === null || change >= last) {
      counts[key] = { value, change: change ?? last };
    }
  }
  return counts;
}

/**
 * What pages show: the stored numbers, those that follow from them, and 0 for any other.
 * @param {Counts} counts
 * @param {string} key
 * @returns {number}
 */
export function figure(counts, key) {
  if (key === "all") {
    const states = Object.keys(counts).filter((name) => name.startsWith("state:"));
    return states.reduce((sum, name) => sum + counts[name].value, 0);
  }
  if (key === "percent") {
    const all = figure(counts, "all");
    return all ? Math.floor((100 * figure(counts, "state:labeled")) / all) : 0;
  }
  return counts[key]?.value ?? 0;
}
