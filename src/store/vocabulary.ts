import type { MethodEntry } from '../experiment/catalog'
import type { Setting } from '../experiment/request'
import { type NumberFormat, ROUNDINGS, type Rounding, SCALE_RULES, type ScaleRule } from '../formats/number-format'
import { STANDARD_MX } from '../formats/quantizer'
import type { BuiltInLayer } from '../io/built-in-layers'
import { DEFAULT_SYNTHETIC } from '../io/synthetic'
import { METHOD_PRESETS } from './method-presets'
import type { PreScaleSetup, SetupSlice, SyntheticControls } from './state'

/** The names a link and a menu may use: the registries, as plain data. */
export interface Vocabulary {
  readonly formats: readonly NumberFormat[]
  readonly settings: readonly Setting[]
  /** Offered for the weights of key and value projections only. */
  readonly kvSettings: readonly Setting[]
  readonly methods: readonly MethodEntry[]
  readonly builtIns: readonly BuiltInLayer[]
}

/** The baseline of all differences: always computed, though it may be hidden. */
export const BASELINE = 'rtn'

const DEFAULT_SETTING = 'W4A4'

export const DEFAULT_HELD_OUT = 0.5
export const MAX_SEED = 2 ** 32 - 1

/** The synthetic generator as it starts (docs/activations.md). */
const { seed: _seed, ...generator } = DEFAULT_SYNTHETIC
export const DEFAULT_CONTROLS: SyntheticControls = generator

/** On, because the W4A4 tables of arXiv 2601.09555 use it. */
export const DEFAULT_PRE_SCALE: PreScaleSetup = { on: true, factor: 0.75, variant: 'exact' }

/** The settings of a first visit. */
export function defaultSetup({ settings, methods }: Vocabulary): SetupSlice {
  const setting = settings.find(({ id }) => id === DEFAULT_SETTING) ?? settings[0]
  return {
    setting,
    scaleRule: STANDARD_MX.scaleRule,
    rounding: STANDARD_MX.rounding,
    preScale: DEFAULT_PRE_SCALE,
    blockSize: STANDARD_MX.blockSize,
    headDim: null,
    seed: 0,
    methods: methods
      .filter(({ id }) => METHOD_PRESETS[0].methods.includes(id))
      .map(({ id }) => ({ id, hidden: false, options: {} })),
  }
}

/** Words of a scale rule: its name in the menu, what it does and who uses it. */
export const SCALE_RULE_TEXT: Readonly<Record<ScaleRule, { readonly label: string; readonly help: string }>> = {
  floor: {
    label: 'floor (OCP)',
    help: 'Exponent of the block maximum, rounded down: OCP MX v1.0, microxcaling and the tables of arXiv 2601.09555.',
  },
  rceil: {
    label: 'rceil',
    help: 'Smallest exponent at which the block maximum does not exceed the largest code: TransformerEngine MXFP8, fouroversix.',
  },
  ceil: {
    label: 'ceil',
    help: 'Exponent of the block maximum, rounded up: an option of torchao. Never clips, wastes the top of the range.',
  },
  even: { label: 'even', help: 'Block maximum rounded to the element precision first: compressed-tensors and vLLM.' },
  best: {
    label: 'best (search)',
    help: 'The exponent of floor or the next one, whichever gives the block less squared error. No library does so by default.',
  },
  fp32: {
    label: 'fp32 (ablation)',
    help: 'Scale in full precision instead of a power of two, as in figure 4 of arXiv 2601.09555: what powers of two cost.',
  },
}

/** Names of the rules for a value between two codes. */
export const ROUNDING_TEXT: Readonly<Record<Rounding, string>> = {
  'half-even': 'half to even',
  'half-away': 'half away from zero',
  'toward-zero': 'toward zero (truncates)',
}

export const isScaleRule = (text: string): text is ScaleRule => SCALE_RULES.some((rule) => rule === text)
export const isRounding = (text: string): text is Rounding => ROUNDINGS.some((rounding) => rounding === text)
