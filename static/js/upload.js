// @ts-check
import { additionOf, takesFiles } from "./addition.js";
import { chosenIn, filesOf } from "./dropped.js";
import { find, findAll, words } from "./find.js";
import { sayNumber } from "./panel.js";
import { PART_BYTES, pauseBefore, sendFile } from "./sending.js";
import { call } from "./server.js";
import { toast } from "./toast.js";
import { createTransfers, inBatches } from "./transfers.js";
import { answerTo, wait } from "./transport.js";

const AT_ONCE = 3;
const MOST_ROWS = 200;
const MOST_ASKED = 1000;
const { lang } = document.documentElement;
const numbers = new Intl.NumberFormat(lang);

/** @param {number} bytes */
function size(bytes) {
  const [unit, number] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const maximumFractionDigits = number < 10 ? 1 : 0;
  return new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits }).format(number);
}

/** What is said of a file that is not there at the end. @param {any} result */
function reasonOf({ end, answer }) {
  if (end === "unreadable") {
    return words("upload-unreadable");
  }
  if (answer?.data?.code === "not_authenticated") {
    return words("upload-signed-out");
  }
  return answer?.data?.message || words(answer?.status === 0 ? "upload-offline" : "toast-failed");
}

/**
 * Sends files, a few at a time, and starts the import when all are there. What the server has is
 * not sent twice, and what breaks off goes on by itself. One that fails stays in the list with the
 * reason and can be tried again.
 *
 * On the page of a new job the files wait for "job:created", which brings the addresses.
 * @typedef {import("./transfers.js").Transfer} Transfer
 */
class ImageUpload extends HTMLElement {
  #transfers = createTransfers();
  /** @type {AbortController | null} */
  #sending = null;
  #addresses = { ...this.dataset };
  #isPainting = false;
  #isWired = false;

  /** Comes again when a refused form is replaced and this element kept. */
  connectedCallback() {
    if (this.#isWired) {
      return;
    }
    this.#isWired = true;
    this.#wireChoice();
    find(this, "[data-upload-retry]").addEventListener("click", () => this.#retry());
    for (const button of findAll(this, "[data-upload-go]")) {
      button.addEventListener("click", () => this.#goOn());
    }
    find(this, "[data-upload-cancel]").addEventListener("click", () => {
      this.#sending?.abort(words("upload-cancelled"));
    });
    window.addEventListener("beforeunload", (event) => this.#sending && event.preventDefault());
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
    if (this.#transfers.all.length) {
      this.#send();
    } else {
      toast({ text: words("upload-empty"), tone: "warning" });
    }
  }

  /** @param {{ path: string, file: File }[]} files */
  #add(files) {
    for (const { path, file } of files) {
      const transfer = this.#transfers.add(path, file);
      if (transfer) {
        this.#giveRow(transfer);
      }
    }
    find(this, "[data-upload-state]").hidden = !this.#transfers.all.length;
    this.#paint();
  }

  /** If there is room in the list: no page shows ten thousand. @param {Transfer} transfer */
  #giveRow(transfer) {
    const list = find(this, "[data-upload-files]");
    if (transfer.row) {
      return;
    }
    if (list.childElementCount >= MOST_ROWS) {
      const old = list.querySelector("[data-there]");
      if (!old) {
        return;
      }
      old.remove();
    }
    transfer.row = find(this, "template#upload-file").content.firstElementChild.cloneNode(true);
    find(transfer.row, ".upload-name").textContent = transfer.path;
    find(transfer.row, ".upload-name").title = transfer.path;
    this.#note(transfer, size(transfer.file.size));
    list.append(transfer.row);
  }

  /** @param {Transfer} transfer @param {string} text */
  #note(transfer, text) {
    if (transfer.row) {
      find(transfer.row, ".upload-note").textContent = text;
    }
  }

  /** Once for each picture of the screen, however many files move. */
  #paint() {
    if (!this.#isPainting) {
      this.#isPainting = true;
      requestAnimationFrame(() => {
        this.#isPainting = false;
        this.#paintNow();
      });
    }
  }

  #paintNow() {
    const { all, bytes, counts, over } = this.#transfers;
    find(this, "[data-upload-progress]").value = bytes.total ? bytes.sent / bytes.total : 0;
    find(this, "[data-upload-size]").textContent = size(bytes.total);
    const counter = find(this, "[data-upload-count]");
    sayNumber(counter, all.length);
    counter.textContent = counter.textContent.replace("{done}", numbers.format(over()));
    for (const name of /** @type {const} */ (["there", "junk"])) {
      const line = find(this, `[data-upload-${name}]`);
      line.hidden = !counts[name];
      sayNumber(line, counts[name]);
    }
    const isOver = !this.#sending && counts.failed > 0;
    find(this, "[data-upload-sending]").hidden = !this.#sending;
    find(this, "[data-upload-failed]").hidden = !isOver;
    find(this, "[data-upload-failed-actions]").hidden = !isOver;
    sayNumber(find(this, "[data-upload-failed]"), counts.failed);
  }

  async #send() {
    const sending = new AbortController();
    this.#sending = sending;
    find(this, ".drop-zone").hidden = true;
    findAll(this.closest("form") ?? this, ".form-actions").forEach((row) => (row.hidden = true));
    this.#paint();
    await this.#leaveOutWhatIsThere(sending.signal);
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(sending)));
    for (const transfer of this.#transfers.in("waiting")) {
      this.#fail(transfer, sending.signal.reason);
    }
    this.#sending = null;
    this.#paint();
    if (!this.#transfers.counts.failed) {
      await this.#goOn();
    }
  }

  /** A saving alone: without an answer all are sent. @param {AbortSignal} signal */
  async #leaveOutWhatIsThere(signal) {
    const url = `${this.#addresses.uploads}known/`;
    for (const batch of inBatches(this.#transfers.in("waiting"), MOST_ASKED)) {
      const files = batch.map(({ path, file }) => ({ path, size: file.size }));
      const { known = [], junk = [] } = await call("POST", url, { files }).catch(() => ({}));
      if (signal.aborted) {
        return;
      }
      known.forEach((/** @type {string} */ path) => this.#settle(path, "there"));
      junk.forEach((/** @type {string} */ path) => this.#settle(path, "junk"));
      this.#paint();
    }
  }

  /** @param {string} path @param {"done" | "there" | "junk"} state */
  #settle(path, state) {
    const transfer = this.#transfers.get(path);
    if (!transfer) {
      return;
    }
    this.#transfers.move(transfer, state);
    transfer.row?.removeAttribute("data-sending");
    if (state === "there") {
      this.#note(transfer, words("upload-there"));
      transfer.row?.toggleAttribute("data-there", true);
    } else {
      transfer.row?.remove();
    }
  }

  /** @param {Transfer} transfer @param {string} reason */
  #fail(transfer, reason) {
    this.#transfers.move(transfer, "failed");
    this.#giveRow(transfer);
    this.#note(transfer, reason);
    transfer.row?.removeAttribute("data-sending");
    transfer.row?.toggleAttribute("data-problem", true);
  }

  /** @param {AbortController} sending */
  async #work(sending) {
    let transfer;
    while (!sending.signal.aborted && (transfer = this.#transfers.next())) {
      this.#transfers.move(transfer, "sending");
      this.#giveRow(transfer);
      transfer.row?.toggleAttribute("data-sending", true);
      const result = await this.#sendOne(transfer, sending.signal);
      if (result.end === "there") {
        const states = /** @type {const} */ ({ already: "there", junk: "junk" });
        this.#settle(transfer.path, states[result.outcome] ?? "done");
      } else if (sending.signal.aborted) {
        this.#fail(transfer, sending.signal.reason);
      } else {
        this.#fail(transfer, reasonOf(result));
      }
      if (result.end === "given-up") {
        // What nothing can be sent to for minutes takes the others no better.
        sending.abort(reasonOf(result));
      }
      this.#paint();
    }
  }

  /** @param {Transfer} transfer @param {AbortSignal} signal */
  #sendOne(transfer, signal) {
    const { file } = transfer;
    const progressed = (/** @type {number} */ bytes) => {
      this.#transfers.progressed(transfer, Math.min(bytes, file.size));
      if (transfer.row) {
        find(transfer.row, "progress").value = transfer.sent / (file.size || 1);
      }
      this.#paint();
    };
    return sendFile(file, {
      ask: () => answerTo("GET", this.#urlOf(transfer), { signal }),
      put: (offset, body) => {
        this.#note(transfer, size(file.size));
        const sent = (/** @type {number} */ bytes) => progressed(offset + bytes);
        return answerTo("PUT", this.#urlOf(transfer, { offset }), { body, signal, sent });
      },
      pause: (failures) => {
        this.#note(transfer, words("upload-again"));
        return wait(pauseBefore(failures), signal);
      },
      isReadable: () =>
        file.slice(0, 1).arrayBuffer().then(
          () => true,
          () => false,
        ),
      progressed,
    });
  }

  /** Who sends it, and this, is how the server knows an upload. @param {Transfer} transfer */
  #urlOf({ path, file }, more = {}) {
    const { size: bytes, lastModified } = file;
    const query = { path, size: bytes, modified: Math.max(lastModified, 0), ...more };
    const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return `${this.#addresses.uploads}?${new URLSearchParams(pairs)}`;
  }

  #retry() {
    for (const transfer of this.#transfers.in("failed")) {
      this.#transfers.move(transfer, "waiting");
      transfer.row?.removeAttribute("data-problem");
      this.#note(transfer, size(transfer.file.size));
    }
    this.#send();
  }

  /** Starts the import of what arrived, and shows the job. */
  async #goOn() {
    const { imports = "", after = "" } = this.#addresses;
    try {
      await this.#forget(this.#transfers.in("failed").filter(({ file }) => file.size > PART_BYTES));
      if (this.#transfers.over()) {
        await call("POST", imports, additionOf(this.closest("form")));
      }
      location.href = after;
    } catch (error) {
      toast({ text: /** @type {Error} */ (error).message, tone: "problem" });
      find(this, "[data-upload-not-started]").hidden = this.#transfers.counts.failed > 0;
    }
  }

  /** Beginnings of files that are left out. @param {Transfer[]} transfers */
  async #forget(transfers) {
    for (const transfer of transfers) {
      // The server removes them by itself in time.
      await call("DELETE", this.#urlOf(transfer)).catch(() => {});
    }
  }
}

customElements.define("image-upload", ImageUpload);
