// @ts-check

/**
 * Menus are `<details class="menu">` and open without a script. This closes them by Escape, by a
 * click beside them and when the focus leaves, and lets the arrow keys walk through them.
 */
export function watchMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(/** @type {Node} */ (event.target))) {
        menu.removeAttribute("open");
      }
    }
  });
  document.addEventListener("focusout", (event) => {
    const menu = menuOf(event);
    const next = /** @type {Node | null} */ (event.relatedTarget);
    if (menu && next && !menu.contains(next)) {
      menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = menuOf(event);
    if (menu?.hasAttribute("open")) {
      walk(menu, event);
    }
  });
}

/** @param {Event} event */
function menuOf(event) {
  return /** @type {Element} */ (event.target).closest("details.menu");
}

/**
 * @param {Element} menu
 * @param {KeyboardEvent} event
 */
function walk(menu, event) {
  const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll(".menu-item")]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const last = items.length - 1;
  const places = {
    ArrowDown: at === last ? 0 : at + 1,
    ArrowUp: at <= 0 ? last : at - 1,
    Home: 0,
    End: last,
  };
  if (event.key === "Escape") {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
    event.preventDefault();
    event.stopPropagation();
  } else if (event.key in places) {
    items[places[event.key]]?.focus();
    event.preventDefault();
  }
}
