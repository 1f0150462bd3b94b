// @ts-check
import { additionOf, takesFiles } from "./addition.js";
import { csrfHeaders } from "./csrf.js";
import { chosenIn, filesOf } from "./dropped.js";
import { find, findAll, words } from "./find.js";
import { sayNumber } from "./panel.js";
import { messageOf } from "./refusals.js";
import { call } from "./server.js";
import { toast } from "./toast.js";

const AT_ONCE = 3;
const MOST_ROWS = 200;
const { lang } = document.documentElement;

/** @param {number} bytes */
function size(bytes) {
  const [unit, number] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const maximumFractionDigits = number < 10 ? 1 : 0;
  return new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits }).format(number);
}

/**
 * Sends files one by one, a few at a time, and starts the import when all are there. One that
 * fails stays in the list with the reason and can be tried again; what arrived is not sent twice.
 *
 * On the page of a new job the files wait for "job:created", which brings the addresses.
 * @typedef {{ path: string, file: File, sent: number, row?: any,
 *   state: "waiting" | "sending" | "done" | "failed" }} Upload
 */
class ImageUpload extends HTMLElement {
  /** @type {Upload[]} */
  #uploads = [];
  #isSending = false;
  #addresses = { ...this.dataset };

  #isWired = false;

  /** Comes again when a refused form is replaced and this element kept. */
  connectedCallback() {
    if (this.#isWired) {
      return;
    }
    this.#isWired = true;
    this.#wireChoice();
    find(this, "[data-upload-retry]").addEventListener("click", () => this.#retry());
    find(this, "[data-upload-go]").addEventListener("click", () => this.#goOn());
    window.addEventListener("beforeunload", (event) => this.#isSending && event.preventDefault());
    document.addEventListener("job:created", (event) => {
      Object.assign(this.#addresses, /** @type {CustomEvent} */ (event).detail);
      this.closest("form")?.toggleAttribute("data-uploading", true);
      this.#send();
    });
    find(document, "form[data-add-images]")?.addEventListener("submit", (event) => {
      if (takesFiles(event.target)) {
        event.preventDefault();
        this.#submit();
      }
    });
  }

  /** Fields for files and folders, and what is dropped. */
  #wireChoice() {
    for (const input of findAll(this, "input[type='file']")) {
      // The form itself must not send them once more.
      input.removeAttribute("name");
      input.disabled = input.hidden = false;
      input.addEventListener("change", () => {
        this.#add(chosenIn(input));
        input.value = "";
      });
    }
    for (const part of findAll(this, "[data-scripted]")) {
      part.hidden = false;
    }
    const zone = find(this, ".drop-zone");
    for (const [name, isOver] of Object.entries({ dragover: true, dragleave: false, drop: false })) {
      zone.addEventListener(name, (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        zone.toggleAttribute("data-over", isOver);
      });
    }
    zone.addEventListener("drop", async ({ dataTransfer }) => this.#add(await filesOf(dataTransfer)));
  }

  #submit() {
    if (this.#uploads.length) {
      this.#send();
    } else {
      toast({ text: words("upload-empty"), tone: "warning" });
    }
  }

  /** @param {{ path: string, file: File }[]} files */
  #add(files) {
    const known = new Set(this.#uploads.map(({ path }) => path));
    for (const { path, file } of files.filter((one) => !known.has(one.path))) {
      /** @type {Upload} */
      const upload = { path, file, sent: 0, state: "waiting" };
      this.#uploads.push(upload);
      if (this.#uploads.length <= MOST_ROWS) {
        this.#giveRow(upload);
      }
    }
    find(this, "[data-upload-state]").hidden = !this.#uploads.length;
    this.#paint();
  }

  /** @param {Upload} upload */
  #giveRow(upload) {
    upload.row = find(this, "template#upload-file").content.firstElementChild.cloneNode(true);
    find(upload.row, ".upload-name").textContent = upload.path;
    find(upload.row, ".upload-name").title = upload.path;
    find(upload.row, ".upload-note").textContent = size(upload.file.size);
    find(this, "[data-upload-files]").append(upload.row);
  }

  #paint() {
    const count = (/** @type {string} */ state) =>
      this.#uploads.filter((upload) => upload.state === state).length;
    const total = this.#uploads.reduce((sum, { file }) => sum + file.size, 0);
    const sent = this.#uploads.reduce((sum, upload) => sum + upload.sent, 0);
    find(this, "[data-upload-progress]").value = total ? sent / total : 0;
    find(this, "[data-upload-size]").textContent = size(total);
    const counter = find(this, "[data-upload-count]");
    sayNumber(counter, this.#uploads.length);
    counter.textContent = counter.textContent.replace("{done}", String(count("done")));
    const failed = count("failed");
    const isOver = !this.#isSending && failed > 0;
    find(this, "[data-upload-failed]").hidden = !isOver;
    find(this, "[data-upload-failed-actions]").hidden = !isOver;
    sayNumber(find(this, "[data-upload-failed]"), failed);
  }

  async #send() {
    this.#isSending = true;
    find(this, ".drop-zone").hidden = true;
    findAll(this.closest("form") ?? this, ".form-actions").forEach((row) => (row.hidden = true));
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()));
    this.#isSending = false;
    this.#paint();
    if (this.#uploads.every(({ state }) => state === "done")) {
      await this.#goOn();
    }
  }

  async #work() {
    let upload;
    while ((upload = this.#uploads.find(({ state }) => state === "waiting"))) {
      upload.state = "sending";
      upload.row?.toggleAttribute("data-sending", true);
      const refusal = await this.#put(upload);
      upload.state = refusal ? "failed" : "done";
      upload.sent = refusal ? 0 : upload.file.size;
      if (refusal) {
        upload.row ?? this.#giveRow(upload);
        find(upload.row, ".upload-note").textContent = refusal;
      } else {
        upload.row?.remove();
      }
      upload.row?.toggleAttribute("data-problem", Boolean(refusal));
      this.#paint();
    }
  }

  /** fetch cannot tell how much is sent. @param {Upload} upload @returns {Promise<string>} */
  #put(upload) {
    return new Promise((tell) => {
      const request = new XMLHttpRequest();
      const path = new URLSearchParams({ path: upload.path });
      request.open("PUT", `${this.#addresses.uploads}?${path}`);
      request.setRequestHeader("X-CSRFToken", csrfHeaders()["X-CSRFToken"]);
      request.setRequestHeader("Content-Type", upload.file.type || "application/octet-stream");
      request.upload.addEventListener("progress", ({ loaded }) => {
        upload.sent = loaded;
        if (upload.row) {
          find(upload.row, "progress").value = loaded / (upload.file.size || 1);
        }
        this.#paint();
      });
      request.addEventListener("load", () => {
        tell(request.status < 300 ? "" : messageOf(request) || words("toast-failed"));
      });
      request.addEventListener("error", () => tell(words("upload-offline")));
      request.send(upload.file);
    });
  }

  #retry() {
    for (const upload of this.#uploads.filter(({ state }) => state === "failed")) {
      upload.state = "waiting";
      upload.row?.removeAttribute("data-problem");
      find(upload.row, ".upload-note").textContent = size(upload.file.size);
    }
    this.#send();
  }

  /** Starts the import of what arrived, and shows the job. */
  async #goOn() {
    const { imports = "", after = "" } = this.#addresses;
    try {
      if (this.#uploads.some(({ state }) => state === "done")) {
        await call("POST", imports, additionOf(this.closest("form")));
      }
      location.href = after;
    } catch (error) {
      toast({ text: /** @type {Error} */ (error).message, tone: "problem" });
    }
  }
}

customElements.define("image-upload", ImageUpload);
