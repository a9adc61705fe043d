// Preact with its hooks and signals, and htm's templates bound to it.
import { Component, Fragment, createContext, h, render } from "preact";
import {
  useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "preact/hooks";
import { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import htm from "htm";

const html = htm.bind(h);

export {
  Component, Fragment, batch, computed, createContext, effect, h, html, render, signal, untracked, useCallback,
  useComputed, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useSignal,
  useSignalEffect, useState,
};
