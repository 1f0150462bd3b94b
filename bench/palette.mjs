// How long the palette looks for a label among 5,000: node bench/palette.mjs
import { performance } from "node:perf_hooks";
import { cpus } from "node:os";

import { asked, best, prepared } from "../static/js/fuzzy.js";

const NUMBER = 5000;
const TIMES = 50;
const PARTS = ["red", "green", "cracked", "left", "wheel", "bearing", "housing", "lid", "new", "old"];
const name = (at) =>
  [at, at * 7, at * 13].map((one) => PARTS[(one + Math.floor(at / 10)) % PARTS.length]).join(" ") + at;

const began = performance.now();
const items = Array.from({ length: NUMBER }, (_, at) => ({ name: prepared(name(at)) }));
console.log(`${cpus()[0].model}: ${NUMBER} names prepared in ${(performance.now() - began).toFixed(1)} ms`);

for (const query of ["e", "wh", "cwb", "crack", "greenhousing49"]) {
  const times = [];
  for (let time = 0; time < TIMES; time += 1) {
    const start = performance.now();
    best(asked(query), items, 60);
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  console.log(`${query.padEnd(16)} median ${times[TIMES / 2].toFixed(2)} ms, worst ${times.at(-1).toFixed(2)} ms`);
}
