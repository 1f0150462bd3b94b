// @ts-check
/**
 * Fuzzy matching of names: the signs of the query in their order, anywhere in the name. Signs in a
 * row and at the beginnings of words count more. Pure.
 * @typedef {{ text: string, signs: string[], folded: string[], starts: boolean[] }} Name
 * @typedef {{ score: number, places: number[] }} Match places: of the signs that match
 */
const AT_START = 8;
const IN_A_ROW = 9;
const WHOLE = 100;

/** @param {string} sign */
const fold = (sign) => sign.normalize("NFKC").toLowerCase();

/** What a query looks for; spaces say nothing. @param {string} text */
export const asked = (text) => [...fold(text)].filter((sign) => sign.trim());

/** Made once for many queries. @param {string} text @returns {Name} */
export function prepared(text) {
  const signs = [...text];
  const isInWord = signs.map((sign) => /[\p{L}\p{N}]/u.test(sign));
  const isCapital = signs.map((sign) => /\p{Lu}/u.test(sign));
  const starts = signs.map(
    (_, at) => isInWord[at] && (!isInWord[at - 1] || (isCapital[at] && !isCapital[at - 1])),
  );
  return { text, signs, folded: signs.map(fold), starts };
}

/**
 * @param {string[]} query @param {Name} name
 * @returns {Match | null}
 */
export function match(query, name) {
  const score = scoreOf(query, name);
  return score === null ? null : { score, places: placesOf(query, name) };
}

// Kept from name to name: a palette looks through thousands at every key.
let [scores, next] = [new Float64Array(64), new Float64Array(64)];

/**
 * Of all ways to find the query in the name the best: for each sign of the query, and each place
 * where it stands, the best score of what ends there.
 * @param {string[]} query @param {Name} name @param {Int16Array[]} [before] takes down where the
 *   sign before each stands
 * @returns {number | null}
 */
function scoreOf(query, { folded, starts }, before) {
  const size = folded.length;
  let found = 0;
  for (let at = 0; at < size && found < query.length; at += 1) {
    found += folded[at] === query[found] ? 1 : 0;
  }
  if (found < query.length) {
    return null;
  }
  if (scores.length < size) {
    [scores, next] = [new Float64Array(2 * size), new Float64Array(2 * size)];
  }
  let top = 0;
  for (let row = 0; row < query.length; row += 1) {
    // The best that ended before, and where.
    let [best, bestAt] = [row ? -Infinity : 0, -1];
    top = -Infinity;
    for (let at = 0; at < size; at += 1) {
      next[at] = -Infinity;
      if (folded[at] === query[row]) {
        const inRow = row && at ? scores[at - 1] + IN_A_ROW : -Infinity;
        next[at] = (inRow >= best ? inRow : best) + 1 + (starts[at] ? AT_START : 0);
        top = Math.max(top, next[at]);
        if (before) {
          before[row][at] = inRow >= best ? at - 1 : bestAt;
        }
      }
      if (row && scores[at] > best) {
        [best, bestAt] = [scores[at], at];
      }
    }
    [scores, next] = [next, scores];
  }
  // Of equal ones the shorter name.
  return top + (size === query.length ? WHOLE : -size / 1000);
}

/** @param {string[]} query @param {Name} name that has it */
function placesOf(query, name) {
  const before = query.map(() => new Int16Array(name.folded.length));
  scoreOf(query, name, before);
  const ends = [...scores.subarray(0, name.folded.length)];
  let at = ends.indexOf(Math.max(...ends));
  return before
    .reverse()
    .map((row) => {
      const place = at;
      at = row[place];
      return place;
    })
    .reverse();
}

/**
 * The best items, best first; of equal ones the first.
 * @template {{ name: Name, bonus?: number }} Item
 * @param {string[]} query @param {Item[]} items @param {number} most
 * @returns {{ item: Item, places: number[] }[]}
 */
export function best(query, items, most) {
  const found = [];
  for (const item of items) {
    const score = scoreOf(query, item.name);
    if (score !== null) {
      found.push({ item, score: score + (item.bonus ?? 0) });
    }
  }
  found.sort((one, other) => other.score - one.score);
  return found.slice(0, most).map(({ item }) => ({ item, places: placesOf(query, item.name) }));
}
