// @ts-check
/**
 * Whether a form for adding data is about files of this computer, and not about those of a folder.
 * @param {any} form
 */
export const takesFiles = (form) =>
  !form.matches("[data-addition]") || new FormData(form).get("source") === "upload";

/**
 * What the import of an upload is told: how labels come along. Nothing on the page of a new job,
 * whose dataset is synchronized.
 * @param {any} form
 */
export function additionOf(form) {
  if (!form?.matches("[data-addition]")) {
    return {};
  }
  const given = new FormData(form);
  const text = (/** @type {string} */ name) => String(given.get(name) ?? "");
  const lines = (/** @type {string} */ name) =>
    text(name).split("\n").map((line) => line.trim()).filter(Boolean);
  return {
    state: text("state"),
    format: text("state") === "unlabeled" || text("format") === "auto" ? "" : text("format"),
    files: lines("label_files"),
    only: lines("only"),
    only_hard: given.has("only_hard"),
    uploaded_since: text("uploaded_since"),
  };
}
