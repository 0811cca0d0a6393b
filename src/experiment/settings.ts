import { InputError } from '../core/errors'
import type { QuantConfig, Quantizer } from '../formats/number-format'
import { makeQuantizer, type QuantizerChoices } from '../formats/quantizer'
import { FORMATS, formatById } from '../formats/registry'
import type { Setting } from './request'

/** The settings with a name, in menu order. 4 means MXFP4, 8 means MXFP8 E4M3, 16 means left as loaded. */
export const SETTINGS: readonly Setting[] = [
  { id: 'W8A8', weightFormat: 'mxfp8_e4m3', activationFormat: 'mxfp8_e4m3' },
  { id: 'W4A8', weightFormat: 'mxfp4', activationFormat: 'mxfp8_e4m3' },
  { id: 'W4A4', weightFormat: 'mxfp4', activationFormat: 'mxfp4' },
  { id: 'W4A16', weightFormat: 'mxfp4', activationFormat: null },
]

/** The word for a side that stays as loaded, in settings written as a pair. */
export const AS_LOADED = '16'

/**
 * The setting written as `text`: a name (`W4A4`) or a pair of formats, weight first (`mxfp4/mxfp8_e4m3`, `mxfp4/16`).
 * A pair that has a name gets that name. Throws InputError SE-01 naming what is valid.
 */
export function parseSetting(text: string): Setting {
  const trimmed = text.trim()
  const named = SETTINGS.find((setting) => setting.id === trimmed.toUpperCase())
  if (named) return named
  const sides = trimmed.split('/')
  const isSide = (side: string) => side === AS_LOADED || FORMATS.some((format) => format.id === side)
  if (sides.length !== 2 || !sides.every(isSide)) {
    const names = SETTINGS.map((setting) => setting.id).join(', ')
    const formats = [...FORMATS.map((format) => format.id), AS_LOADED].join(', ')
    throw new InputError(
      'SE-01',
      `setting "${text}": expected one of ${names}, or a pair weight/activations of ${formats} such as mxfp4/mxfp8_e4m3.`,
    )
  }
  const [weightFormat, activationFormat] = sides.map((side) => (side === AS_LOADED ? null : side))
  const same = SETTINGS.find(
    (setting) => setting.weightFormat === weightFormat && setting.activationFormat === activationFormat,
  )
  return same ?? { id: trimmed, weightFormat, activationFormat }
}

/**
 * The quantizers of both operands of `setting`; null for a side that stays as loaded. The pre-scale reaches 4-bit
 * elements only. Throws InputError FM-01 for a format that does not exist.
 */
export function quantConfigOf(setting: Setting, choices: QuantizerChoices): QuantConfig {
  const quantizer = (formatId: string | null): Quantizer | null =>
    formatId === null ? null : makeQuantizer(formatById(formatId), choices)
  return { weight: quantizer(setting.weightFormat), activation: quantizer(setting.activationFormat) }
}
