// @ts-check
/**
 * The files of a drop, those in folders too, with their paths. The entries have to be asked for at
 * once: after the event the browser forgets them.
 * @param {DataTransfer} transfer
 * @returns {Promise<{ path: string, file: File }[]>}
 */
export async function filesOf(transfer) {
  // What comes from another program than the file manager is a file without an entry.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (await Promise.all(entries.filter(Boolean).map(filesIn))).flat();
}

/** @param {any} entry @returns {Promise<{ path: string, file: File }[]>} */
async function filesIn(entry) {
  if (entry instanceof File) {
    return [{ path: entry.name, file: entry }];
  }
  if (entry.isFile) {
    const file = await new Promise((found, failed) => entry.file(found, failed));
    return [{ path: entry.fullPath.slice(1), file }];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    // A folder is read a hundred entries at a time, until none come.
    const some = await new Promise((found, failed) => reader.readEntries(found, failed));
    if (!some.length) {
      return (await Promise.all(inside.map(filesIn))).flat();
    }
    inside.push(...some);
  }
}

/** The files that were chosen in a field. @param {HTMLInputElement} input */
export const chosenIn = (input) =>
  [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
