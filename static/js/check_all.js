// @ts-check
import { find, findAll } from "./find.js";

/** In a form with `data-check-all`, one box ticks all the others. */
for (const form of findAll(document, "form[data-check-all]")) {
  const all = find(form, "[data-check-box]");
  const boxes = findAll(form, "input[type='checkbox'][name]");
  const paint = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) {
      box.checked = all.checked;
    }
  });
  form.addEventListener("change", paint);
  find(form, "[data-scripted]").hidden = false;
  // After going back the browser keeps what was ticked.
  paint();
}
