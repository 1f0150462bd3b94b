// @ts-check
import { accept, turn } from "./edits.js";
import { words } from "./find.js";
import { call } from "./server.js";
import * as on from "./surfaces.js";
import { toast } from "./toast.js";

const AT_ONCE = 16;
const predictUrl = `${on.workspace.dataset.api}predict/`;

/** Asks the model about the targets; labeling goes on meanwhile. */
export function predict() {
  const ids = on.surface().targets();
  if (!ids.length) {
    on.say({ text: words("say-select") });
  } else if (on.viewer.isOpen) {
    predictOne(ids[0]);
  } else {
    predictSome(ids);
  }
}

/** @param {number} id */
async function predictOne(id) {
  on.viewer.busy(true);
  let problem = "";
  try {
    const { problems } = await call("POST", predictUrl, { ids: [id] });
    problem = problems[id] ?? "";
    await on.viewer.refresh([id]);
    on.refresh([id]);
  } catch (error) {
    problem = /** @type {Error} */ (error).message;
  }
  if (on.viewer.isOpen && on.viewer.targets()[0] === id) {
    on.viewer.busy(false, problem);
  }
}

/** The tiles fill in as answers come; a server that does not answer ends it. */
async function predictSome(/** @type {number[]} */ ids) {
  const problems = [];
  on.grid.busy(ids, true);
  try {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const answer = await call("POST", predictUrl, { ids: some });
      problems.push(...Object.values(answer.problems));
      on.grid.busy(some, false);
      on.refresh(some);
    }
  } catch (error) {
    on.complain(error, () => predictSome(ids));
  }
  on.grid.busy(ids, false);
  if (problems.length) {
    toast({ text: problems[0], tone: "warning" });
  }
}

/** Accepts the best suggestion of each target. */
export function acceptBest() {
  const offer = on.viewer.isOpen && on.viewer.suggestion();
  const found = on.viewer.isOpen ? [] : on.grid.suggestions();
  if (!offer && !found.length) {
    on.say({ text: words("say-nothing-suggested") });
  } else if (offer) {
    acceptOffer(offer);
  }
  for (const { id, name, label } of found) {
    accept(id, name, on.labelNamed(label));
  }
}

/** Accepts what the viewer suggests, if it does, and goes on. */
export function acceptAndGoOn() {
  const offer = on.viewer.suggestion();
  if (offer) {
    acceptOffer(offer);
  }
  turn("next");
}

/** Accepts what a button of the viewer offers. @param {HTMLElement} offer */
export function acceptOffer(offer) {
  const { accept: name = "", acceptLabel } = offer.dataset;
  accept(on.viewer.targets()[0], name, acceptLabel ? Number(acceptLabel) : undefined);
}
