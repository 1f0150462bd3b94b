// @ts-check
import { accept, canEdit, perform, post, turn } from "./edits.js";
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

/** Accepts the best suggestion of each image that is meant. */
export function acceptBest() {
  decide("accept", acceptOffer, (id) => {
    const label = on.labelNamed(on.grid.suggestionOf(id)?.label);
    return label === undefined ? {} : { add: [label] };
  });
}

/** Rejects it: this model does not suggest it for the image again. */
export function rejectBest() {
  decide("reject", (offer) => reject(offer.dataset.accept), () => ({}));
}

/** Rejects one that the viewer shows. @param {string | undefined} name the model's */
export function reject(name) {
  const [sample] = on.viewer.targets();
  perform([sample], () => ({}), post("reject", { sample, name }));
}

/**
 * @param {string} verb
 * @param {(offer: HTMLElement) => void} one what is done with the offer of the viewer
 * @param {(id: number) => import("./marks.js").Edit} changeOf what it does to an image of the grid
 */
async function decide(verb, one, changeOf) {
  if (!canEdit()) {
    return;
  }
  const [ids, chosen] = [on.surface().targets(), on.surface().request()];
  const offer = on.viewer.isOpen && on.viewer.suggestion();
  // Of images on other pages the server knows.
  const isAll = chosen.query !== undefined;
  const mayHave = !on.viewer.isOpen && (isAll || ids.some((id) => on.grid.maySuggest(id)));
  if (offer) {
    one(offer);
  } else if (!mayHave) {
    on.say({ text: words("say-nothing-suggested") });
  } else if (await perform(ids, changeOf, post(verb, chosen))) {
    on.grid.changedAll();
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
