// @ts-check
// The one place that names the vendored libraries.
// @ts-types="preact"
import { Fragment, h, render } from "./vendor/preact.js";
// @ts-types="preact/hooks"
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact_hooks.js";
// @ts-types="@preact/signals-core"
import { batch, computed, effect, signal } from "./vendor/signals_core.js";
// Makes components render again when a signal that they read changes.
import "./vendor/signals.js";
// @ts-types="htm"
import htm from "./vendor/htm.js";
// @ts-types="uplot"
import uPlot from "./vendor/uplot.js";

/** @import { VNode } from "preact" */

/** What a component returns, or gets as children. @typedef {VNode<any> | string | number | null | undefined | false} Node */

/** HTML as a tagged template. Values become text or attributes, never markup. */
export const markup = /** @type {(strings: TemplateStringsArray, ...values: unknown[]) => VNode<any>} */ (
  /** @type {any} */ (htm).bind(h)
);

export {
  batch,
  computed,
  effect,
  Fragment,
  render,
  signal,
  uPlot,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
};
