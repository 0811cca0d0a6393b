import type { Data, Layout } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult } from '../experiment/result'
import type { SharedScales } from './shared-scales'
import type { Theme } from './theme'

/**
 * What Plotly draws. Plain data; nothing in it refers to a page. A trace of one method has its id as `meta`, one with a
 * point per method all their ids; an annotation that names a method has its id as `name`.
 */
export interface FigureSpec {
  readonly data: Data[]
  readonly layout: Partial<Layout>
}

/** The numbers of a figure as text, for the table beside it. */
export interface DataTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface FigureOptions {
  readonly theme: Theme
  /** Of all results shown together: the same axes make them comparable. */
  readonly scales: SharedScales
  /** Whose activations are as loaded (round-to-nearest): the dotted line, and the zero of differences. */
  readonly reference: MethodResult | null
  /** Of the results shown, the one on screen; null before the first. */
  readonly setting: string | null
  /** Height of the surface: |x| itself or log10 |x|. */
  readonly height: 'linear' | 'log'
  /** Whether distributions stand on the axes of `scales`, or each on axes of its own. */
  readonly axes: 'shared' | 'own'
  /** Trainings drawn beside those of the results. */
  readonly unfinished: readonly UnfinishedTraining[]
}

/** A training without a result: it is going on, or was cancelled. */
export interface UnfinishedTraining {
  readonly method: string
  readonly setting: string
  readonly state: 'running' | 'cancelled'
  /** Relative output error √L on calibration rows before step 0, 1, …; at least one. */
  readonly losses: readonly number[]
  /** Steps it was asked for. */
  readonly steps: number
}

interface FigureBase {
  /** Stable: used in links and hooks. */
  readonly id: string
  readonly label: string
  /** What it answers, in one sentence. */
  readonly question: string
}

/** Drawn once per method; all tiles share their scales. */
export interface TileFigure extends FigureBase {
  readonly scope: 'tile'
  build(result: MethodResult, options: FigureOptions): FigureSpec
  /** The finding in words, computed from the numbers. */
  describe(result: MethodResult, options: FigureOptions): string
  table(result: MethodResult, options: FigureOptions): DataTable
}

/** Drawn once for all methods and settings. Failures are named in words and left out of the drawing. */
export interface PanelFigure extends FigureBase {
  readonly scope: 'panel'
  build(outcomes: readonly MethodOutcome[], options: FigureOptions): FigureSpec
  describe(outcomes: readonly MethodOutcome[], options: FigureOptions): string
  table(outcomes: readonly MethodOutcome[], options: FigureOptions): DataTable
}

export type Figure = TileFigure | PanelFigure
