// @ts-check
import { watchCopies } from "./copy.js";
import { watchDialogs } from "./dialog.js";
import { watchMenus } from "./menu.js";
import { watchRefusals } from "./refusals.js";
import { watchReveals } from "./reveal.js";
import { watchTheme } from "./theme.js";
import { watchToasts } from "./toast.js";

watchToasts();
watchMenus();
watchDialogs();
watchCopies();
watchReveals();
watchRefusals();
watchTheme();
