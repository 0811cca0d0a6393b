/** The Rotation view: what is chosen in it, and what is asked of the engine for it. */
import type { Progress } from '../core/progress'
import type { MethodEntry } from '../experiment/catalog'
import { DEFAULT_OUTLIER_STUDY } from '../experiment/outlier-defaults'
import type { OutlierPoint, OutlierStudyRequest } from '../experiment/outlier-study'
import type { MethodChoice } from '../experiment/request'
import type { RotationCauses } from '../experiment/rotation-causes'
import type { RunEnd } from '../worker/protocol'
import type { Asked } from './blocks-view'
import { mxChoices } from './mx-choices'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/** Outlier strengths of the curves, a doubling apart. */
export const STRENGTHS = DEFAULT_OUTLIER_STUDY.strengths
/** Degrees of freedom of Student's t, from light tails to heavy ones. */
export const DEGREES: readonly number[] = [10, 5, 4, 3]
export const OUTLIER_RANGE = { min: 0, max: 32 } as const
export const CORRELATION_RANGE = { min: -0.5, max: 1 } as const
/** Channels of the synthetic layer. */
export const WIDTHS: readonly number[] = [256, 512, 768, 1024, 2048]
/** Learned methods, which take long and are computed only when they are switched on. */
export const LEARNED_ROTATION_METHODS: readonly string[] = ['spinquant', 'flatquant']
/** Training steps that may be asked of them here. */
export const STEPS_RANGE = { min: 1, max: 5000 } as const

/** What the view is set to: all of it is in the link. */
export interface RotationControls {
  /** The layer that is loaded, or a synthetic layer over outlier strength. */
  readonly part: 'layer' | 'synthetic'
  /** The strength that is marked and spoken of: one of STRENGTHS. */
  readonly strength: number
  readonly outlierChannels: number
  /** α: columns of the weight at outlier channels are divided by strength^α. */
  readonly correlation: number
  /** Of Student's t; null: Gaussian activations. */
  readonly degrees: number | null
  readonly width: number
  readonly seed: number
  /** Outlier channels side by side rather than spread. */
  readonly clustered: boolean
  /** Those of LEARNED_ROTATION_METHODS that are switched on, in that order. */
  readonly learned: readonly string[]
  /** Training steps of the learned methods on; null: what each takes by itself. */
  readonly steps: number | null
  /** The rotation explained on the loaded layer. */
  readonly rotation: string
}

/** Where formats point in opposite directions (methods-transform: k = 32, α = 0.5). */
export const DEFAULT_ROTATION_CONTROLS: RotationControls = {
  part: 'layer',
  strength: 32,
  outlierChannels: DEFAULT_OUTLIER_STUDY.layer.outlierChannels,
  correlation: DEFAULT_OUTLIER_STUDY.layer.correlation,
  degrees: null,
  width: DEFAULT_OUTLIER_STUDY.layer.inDim,
  seed: 0,
  clustered: false,
  learned: [],
  steps: null,
  rotation: 'quarot',
}

/** Formats side by side, each for weights and activations. */
export const STUDY_FORMATS = DEFAULT_OUTLIER_STUDY.formats

export interface RotationSlice {
  readonly controls: RotationControls
  /** Of every study so far, by its key, in the order they came. */
  readonly points: Readonly<Record<string, readonly OutlierPoint[]>>
  /** Key of the study last drawn: it stays on screen, dimmed, until its successor has a point. */
  readonly shown: string | null
  /** `waiting`: it starts, or goes on, once the comparison has ended. */
  readonly phase: 'idle' | 'waiting' | 'running' | 'cancelling'
  readonly runId: string | null
  /** Name of what runs: the study and its methods. */
  readonly current: string | null
  readonly progress: Progress | null
  /** How the last run ended, and of what; it is not begun again by itself. null while nothing stands in the way. */
  readonly stopped: { readonly job: string; readonly end: RunEnd } | null
  /** What was found on loaded layers, by key. */
  readonly causes: Readonly<Record<string, Asked<RotationCauses>>>
  /** The learned rotation that is being trained, to be explained under `key`; null while none is. */
  readonly training: Training | null
}

export interface Training {
  readonly key: string
  readonly runId: string
  readonly progress: Progress | null
  readonly cancelling: boolean
}

export const DEFAULT_ROTATION: RotationSlice = {
  controls: DEFAULT_ROTATION_CONTROLS,
  points: {},
  shown: null,
  phase: 'idle',
  runId: null,
  current: null,
  progress: null,
  stopped: null,
  causes: {},
  training: null,
}

type Catalog = Pick<Vocabulary, 'methods'>

/** The learned methods of the catalog that can be switched on. */
export function learnedChoices({ methods }: Catalog): readonly MethodEntry[] {
  return LEARNED_ROTATION_METHODS.flatMap((id) => methods.find((method) => method.id === id) ?? [])
}

/** The rotations that can be explained: those of the catalog whose weights are rounded to nearest. */
export function rotationChoices({ methods }: Catalog): readonly MethodEntry[] {
  return methods.filter(({ kind, column }) => kind === 'rotation' && column === 'round-to-nearest')
}

/** A study as the view wants it now. */
export interface WantedStudy {
  /** Of everything a point depends on but its format, method and strength. */
  readonly key: string
  /** Name of the whole: another one ends the run. */
  readonly job: string
  readonly request: OutlierStudyRequest
}

/** The study on screen; null where the view shows something else. */
export function wantedStudy(state: AppState, { methods }: Catalog): WantedStudy | null {
  const { controls } = state.rotation
  if (state.view.view !== 'rotation' || controls.part !== 'synthetic') return null
  return studyOf(state, { methods })
}

/** The study of the controls, whatever is on screen. */
export function studyOf({ rotation, setup }: AppState, { methods }: Catalog): WantedStudy {
  const { outlierChannels, correlation, degrees, width, seed, clustered, learned, steps } = rotation.controls
  const base = {
    ...mxChoices(setup),
    layer: {
      ...DEFAULT_OUTLIER_STUDY.layer,
      inDim: width,
      outlierChannels,
      correlation,
      tailDegrees: degrees,
      clustered,
    },
    repeats: DEFAULT_OUTLIER_STUDY.repeats,
    seed,
  }
  const options: MethodChoice['options'] = steps === null ? {} : { steps }
  const chosen = learned.flatMap((id) => (methods.some((method) => method.id === id) ? [{ id, options }] : []))
  const request = {
    ...base,
    strengths: STRENGTHS,
    formats: STUDY_FORMATS,
    methods: [...DEFAULT_OUTLIER_STUDY.methods, ...chosen],
  }
  // Points know their method by its id alone: other steps are another study.
  const key = JSON.stringify(chosen.length === 0 || steps === null ? base : { ...base, steps })
  return { key, job: `${key} ${request.methods.map(({ id }) => id).join(',')}`, request }
}

const samePlace = (a: OutlierPoint, format: string, method: string, strength: number) =>
  a.format === format && a.method === method && a.strength === strength

/**
 * What is left of a study beside the points there are; null when nothing is. The strength on screen comes first, so that
 * the sentence about it does.
 */
export function lackingStudy(
  { request }: WantedStudy,
  points: readonly OutlierPoint[],
  strength: number,
): OutlierStudyRequest | null {
  const lacks = (format: string, method: string, at: number) =>
    !points.some((point) => samePlace(point, format, method, at))
  const { formats } = request
  const strengths = request.strengths.filter((at) =>
    formats.some((format) => request.methods.some(({ id }) => lacks(format, id, at))),
  )
  const methods = request.methods.filter(({ id }) =>
    formats.some((format) => strengths.some((at) => lacks(format, id, at))),
  )
  if (strengths.length === 0) return null
  const first = strengths.filter((at) => at === strength)
  return { ...request, methods, strengths: [...first, ...strengths.filter((at) => at !== strength)] }
}

/** The points with one more, in the place of the same one. */
export function withPoint(points: readonly OutlierPoint[], point: OutlierPoint): readonly OutlierPoint[] {
  const { format, method, strength } = point
  return [...points.filter((other) => !samePlace(other, format, method, strength)), point]
}

/** What the synthetic part shows. Flat, its points those of the store. */
export interface StudyModel {
  readonly points: readonly OutlierPoint[]
  /** True where the points are those of other controls. */
  readonly stale: boolean
  readonly strength: number
  /** Of the study on screen, in the order they are drawn. */
  readonly methods: readonly string[]
  readonly done: number
  readonly total: number
}

export function studyModel(state: AppState, vocabulary: Catalog): StudyModel {
  const { rotation } = state
  const wanted = studyOf(state, vocabulary)
  const methods = wanted.request.methods.map(({ id }) => id)
  const own = (rotation.points[wanted.key] ?? []).filter(({ method }) => methods.includes(method))
  const left = rotation.shown === null ? [] : (rotation.points[rotation.shown] ?? [])
  const stale = own.length === 0 && left.length > 0
  return {
    points: stale ? left.filter(({ method }) => methods.includes(method)) : own,
    stale,
    strength: rotation.controls.strength,
    methods,
    done: own.length,
    total: STRENGTHS.length * STUDY_FORMATS.length * methods.length,
  }
}
