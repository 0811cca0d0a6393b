import type { MethodEntry } from '../experiment/catalog'
import type { Setting } from '../experiment/request'
import { type NumberFormat, ROUNDINGS, type Rounding, SCALE_RULES, type ScaleRule } from '../formats/number-format'
import type { BuiltInLayer } from '../io/built-in-layers'
import type { SetupSlice, SyntheticControls } from './state'

/** The names a link and a menu may use: the registries, as plain data. */
export interface Vocabulary {
  readonly formats: readonly NumberFormat[]
  readonly settings: readonly Setting[]
  readonly methods: readonly MethodEntry[]
  readonly builtIns: readonly BuiltInLayer[]
}

/** The baseline of all differences: always computed, though it may be hidden. */
export const BASELINE = 'rtn'

/** The comparison a visitor finds on arrival: round to nearest, a rotation, an affine transform. */
const DEFAULT_METHODS: readonly string[] = [BASELINE, 'quarot', 'flatquant']
const DEFAULT_SETTING = 'W4A4'

export const DEFAULT_HELD_OUT = 0.5
export const MAX_HELD_OUT = 0.8
export const MAX_SEED = 2 ** 32 - 1

/** The synthetic generator as it starts (docs/activations.md). */
export const DEFAULT_CONTROLS: SyntheticControls = { tokens: 512, outlierChannels: 6, outlierGain: 20 }

/** The settings of a first visit. */
export function defaultSetup({ settings, methods }: Vocabulary): SetupSlice {
  const setting = settings.find(({ id }) => id === DEFAULT_SETTING) ?? settings[0]
  return {
    setting,
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: true,
    seed: 0,
    methods: methods
      .filter(({ id }) => DEFAULT_METHODS.includes(id))
      .map(({ id }) => ({ id, hidden: false, options: {} })),
  }
}

/** Words of a scale rule: its name in the menu and who uses it. */
export const SCALE_RULE_TEXT: Readonly<Record<ScaleRule, { readonly label: string; readonly help: string }>> = {
  floor: { label: 'floor (OCP)', help: 'Exponent of the block maximum rounded down: OCP MX v1.0 and microxcaling.' },
  rceil: { label: 'rceil', help: 'Smallest exponent at which the block maximum does not exceed the largest code.' },
  ceil: { label: 'ceil', help: 'Exponent of the block maximum rounded up: never clips, wastes range.' },
  even: { label: 'even', help: 'Block maximum rounded to the element precision first: compressed-tensors and vLLM.' },
}

/** Names of the rules for a value between two codes. */
export const ROUNDING_TEXT: Readonly<Record<Rounding, string>> = {
  'half-even': 'half to even',
  'half-away': 'half away from zero',
  'toward-zero': 'toward zero (truncates)',
}

export const isScaleRule = (text: string): text is ScaleRule => SCALE_RULES.some((rule) => rule === text)
export const isRounding = (text: string): text is Rounding => ROUNDINGS.some((rounding) => rounding === text)
