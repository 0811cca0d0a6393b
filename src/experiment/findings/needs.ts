/**
 * What each finding of arXiv 2601.09555 needs measured on a layer (product.md, section 7). Everything is under the
 * paper's conditions whatever the page is set to: blocks of 32, scales by the floor rule, half to even, and the
 * pre-scale 3/4 of its W4A4 tables where it is not what is asked about.
 */
import { type MxChoices, STANDARD_MX } from '../../formats/quantizer'
import type { Setting } from '../request'
import { SETTINGS, settingOf } from '../settings'

/** One method under one setting, with its defaults. */
export interface Need {
  readonly method: string
  readonly setting: Setting
  /** Whether 4-bit MX operands take the pre-scale. */
  readonly preScaled: boolean
  /** Added to the seed of the comparison: another random rotation. */
  readonly seed: number
  /** Whether the share of its scales in the error is needed. */
  readonly analysed: boolean
}

export type FindingId = 'mxfp8' | 'w4a4' | 'rotation' | 'affine' | 'compensation' | 'rtn' | 'scales' | 'pre-scale'

/** Rotations of different seeds that a verdict takes (methods-transform, section 14), here and in the Rotation view. */
export const ROTATION_SEEDS = 5

const named = (id: string): Setting => {
  const setting = SETTINGS.find((each) => each.id === id)
  if (!setting) throw new Error(`no setting is named ${id}`)
  return setting
}

export const W8A8 = named('W8A8')
export const W4A8 = named('W4A8')
export const W4A4 = named('W4A4')
export const W4A16 = named('W4A16')
/** The format rotations were invented for: one scale per row and per token. */
export const INT4 = settingOf({ weightFormat: 'int4', activationFormat: 'int4', outputFormat: null })

const need = (method: string, setting: Setting, change: Partial<Need> = {}): Need => ({
  method,
  setting,
  preScaled: true,
  seed: 0,
  analysed: false,
  ...change,
})

/** RTN under W4A4 is measured with its scale analysis, for whoever needs it. */
export const RTN: Need = need('rtn', W4A4, { analysed: true })
export const RTN_PLAIN: Need = need('rtn', W4A4, { preScaled: false })
export const RTN_SETTINGS: readonly Need[] = [need('rtn', W8A8), need('rtn', W4A16), need('rtn', W4A8), RTN]
export const ROTATED: readonly Need[] = Array.from({ length: ROTATION_SEEDS }, (_, seed) =>
  need('quarot', W4A4, { seed }),
)
export const RTN_INT4: Need = need('rtn', INT4)
export const ROTATED_INT4: readonly Need[] = ROTATED.map((each) => ({ ...each, setting: INT4 }))
export const CHANNEL_WISE: readonly Need[] = [need('smoothquant', W4A4), need('awq', W4A4)]
export const AFFINE: readonly Need[] = [need('flatquant', W4A4)]
export const COMPENSATION: readonly Need[] = [need('gptq', W4A4), need('mr-gptq', W4A4)]

const rotated = ROTATED.slice(0, 1)

/** In the order of the paper's argument. */
export const FINDING_NEEDS: Readonly<Record<FindingId, readonly Need[]>> = {
  mxfp8: [RTN_SETTINGS[0], need('quarot', W8A8)],
  w4a4: RTN_SETTINGS,
  rotation: [RTN, ...ROTATED, RTN_INT4, ...ROTATED_INT4],
  affine: [...AFFINE, ...CHANNEL_WISE],
  compensation: [...COMPENSATION, ...CHANNEL_WISE],
  rtn: [RTN, ...CHANNEL_WISE, ...COMPENSATION, ...rotated, ...AFFINE],
  scales: [RTN],
  'pre-scale': [RTN_PLAIN, RTN],
}

/** The MX choices a need is measured under. */
export function needChoices({ preScaled }: Need): MxChoices {
  return { ...STANDARD_MX, preScale: preScaled ? { factor: 0.75, variant: 'exact' } : null }
}

/** The same for the same measurement. */
export function needKey({ method, setting, preScaled, seed }: Need): string {
  return [method, setting.id, preScaled ? 'pre-scaled' : 'plain', seed].join(' ')
}

/** Everything that is needed, once each, cheap before learned. */
export function allNeeds(): readonly Need[] {
  const needs = new Map(Object.values(FINDING_NEEDS).flatMap((each) => each.map((one) => [needKey(one), one] as const)))
  return [...needs.values()]
}
