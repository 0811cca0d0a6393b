import { InputError } from '../core/errors'
import { splitTop } from '../core/split-top'
import { checkParentheses, formatText, parseFormat } from '../formats/format-text'
import type { Quantizer } from '../formats/number-format'
import { type MxChoices, makeQuantizer } from '../formats/quantizer'
import { FORMATS } from '../formats/registry'
import type { Setting } from './request'

const MXFP4 = 'mxfp4'
const MXFP8 = 'mxfp8_e4m3'

const named = (
  id: string,
  weightFormat: string,
  activationFormat: string | null,
  outputFormat: string | null = null,
): Setting => ({ id, weightFormat, activationFormat, outputFormat })

/** The settings with a name, in menu order. 4 means MXFP4, 8 means MXFP8 E4M3, 16 means left as loaded. */
export const SETTINGS: readonly Setting[] = [
  named('W8A8', MXFP8, MXFP8),
  named('W4A8', MXFP4, MXFP8),
  named('W4A4', MXFP4, MXFP4),
  named('W4A16', MXFP4, null),
]

/** Settings that also quantize the output of a key or value projection, as the key-value cache stores it. */
export const KV_SETTINGS: readonly Setting[] = [
  named('W8A8KV8', MXFP8, MXFP8, MXFP8),
  named('W4A8KV8', MXFP4, MXFP8, MXFP8),
  named('W4A8KV4', MXFP4, MXFP8, MXFP4),
  named('W4A4KV4', MXFP4, MXFP4, MXFP4),
]

const NAMED_SETTINGS = [...SETTINGS, ...KV_SETTINGS]

/** The word for a tensor that stays as loaded, in settings written as formats. */
export const AS_LOADED = '16'

/** The setting of these formats, under its name where it has one. */
export function settingOf({ weightFormat, activationFormat, outputFormat }: Omit<Setting, 'id'>): Setting {
  const same = NAMED_SETTINGS.find(
    (setting) =>
      setting.weightFormat === weightFormat &&
      setting.activationFormat === activationFormat &&
      setting.outputFormat === outputFormat,
  )
  if (same) return same
  const sides = [weightFormat, activationFormat, ...(outputFormat === null ? [] : [outputFormat])]
  return { id: sides.map((side) => side ?? AS_LOADED).join('/'), weightFormat, activationFormat, outputFormat }
}

/**
 * The setting written as `text`: a name (`W4A4`) or formats of weights, activations and, for the key-value cache,
 * outputs (`mxfp4/mxfp8_e4m3`, `int4(group=128)/16`, `mxfp4/16/mxfp8_e4m3`). Formats that have a name get it. Throws
 * InputError SE-01 naming what is valid, FM-02 for an option a format does not have and for broken parentheses.
 */
export function parseSetting(text: string): Setting {
  const trimmed = text.trim()
  const preset = NAMED_SETTINGS.find((setting) => setting.id === trimmed.toUpperCase())
  if (preset) return preset
  checkParentheses(trimmed)
  const sides = splitTop(trimmed, '/').map((side) => side.trim())
  const idOf = (side: string) => side.replace(/\(.*$/, '').trim().toLowerCase()
  const isSide = (side: string) => side === AS_LOADED || FORMATS.some(({ id }) => id === idOf(side))
  if (sides.length < 2 || sides.length > 3 || !sides.every(isSide)) {
    const names = NAMED_SETTINGS.map((setting) => setting.id).join(', ')
    const formats = [...FORMATS.map((format) => format.id), AS_LOADED].join(', ')
    throw new InputError(
      'SE-01',
      `setting "${text}": expected one of ${names}, or weights/activations (and /outputs for the KV cache) of ` +
        `${formats} such as mxfp4/mxfp8_e4m3.`,
    )
  }
  const [weightFormat, activationFormat, outputFormat = null] = sides.map((side) =>
    side === AS_LOADED ? null : formatText(parseFormat(side)),
  )
  return settingOf({ weightFormat, activationFormat, outputFormat })
}

/** The quantizers of a setting's tensors; null for one that stays as loaded. */
export interface SettingQuantizers {
  readonly weight: Quantizer | null
  readonly activation: Quantizer | null
  readonly output: Quantizer | null
}

/** The quantizers of `setting`. Throws InputError FM-01 to FM-04 for formats, options and choices that do not exist. */
export function quantizersOf(setting: Setting, choices: MxChoices): SettingQuantizers {
  const quantizer = (text: string | null) => (text === null ? null : makeQuantizer(parseFormat(text), choices))
  return {
    weight: quantizer(setting.weightFormat),
    activation: quantizer(setting.activationFormat),
    output: quantizer(setting.outputFormat),
  }
}
