// @ts-check
/**
 * The first element that matches, of whatever kind the caller knows it to be.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {any}
 */
export const find = (root, selector) => root.querySelector(selector);

/** @param {ParentNode} root @param {string} selector @returns {any[]} */
export const findAll = (root, selector) => [...root.querySelectorAll(selector)];

/** @param {string} id @returns {string} the words of a `<template>` of the page */
export const words = (id) => find(document, `template#${id}`).content.textContent.trim();
