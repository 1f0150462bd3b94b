// @ts-check
/**
 * Who is on the page of a job, by what their pages said. Pure.
 * @typedef {{ id: number, name: string, initials: string }} Person
 * @typedef {Map<string, { person: Person, sample: number | null, at: number }>} Pages
 */
export const GONE_MILLISECONDS = 45000;

/** Forgets who was not heard of for long. @param {Pages} pages @param {number} now */
export function withoutSilent(pages, now) {
  return new Map([...pages].filter(([, { at }]) => now - at < GONE_MILLISECONDS));
}

/** Each of them once, in the order in which they came. @param {Pages} pages @returns {Person[]} */
export function people(pages) {
  return [...new Map([...pages.values()].map(({ person }) => [person.id, person])).values()];
}

/** Who looks at which image. @param {Pages} pages @returns {Map<number, Person[]>} */
export function watchers(pages) {
  /** @type {Map<number, Map<number, Person>>} */
  const found = new Map();
  for (const { person, sample } of pages.values()) {
    if (sample !== null) {
      found.set(sample, (found.get(sample) ?? new Map()).set(person.id, person));
    }
  }
  return new Map([...found].map(([sample, these]) => [sample, [...these.values()]]));
}
