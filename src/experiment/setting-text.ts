/** How a setting, its choices and its pre-scale are written for people; ids stay in links and files. */
import { splitTop } from '../core/split-top'
import { formatLabel, parseFormat } from '../formats/format-text'
import type { PreScale, ScaleRule } from '../formats/number-format'
import { takesPreScale } from '../formats/quantizer'
import { FORMATS } from '../formats/registry'
import type { Setting } from './request'
import { AS_LOADED } from './settings'

/** The formats of a setting as text; null: left as loaded. */
export type SettingFormats = Omit<Setting, 'id'>

function sideLabel(side: string): string {
  if (side === AS_LOADED) return 'as loaded'
  const isFormat = FORMATS.some(({ id }) => id === side.replace(/\(.*$/, ''))
  return isFormat ? formatLabel(parseFormat(side)) : side
}

/** "W4A4" as it is; formats by their labels, weights first: "MXFP6 E2M3 / INT8, group 128". */
export function settingLabel(settingId: string): string {
  return splitTop(settingId, '/').map(sideLabel).join(' / ')
}

/** True when a pre-scale reaches a tensor of the setting under `scaleRule` (docs/formats.md). */
export function preScaleReaches(
  { weightFormat, activationFormat, outputFormat }: SettingFormats,
  scaleRule: ScaleRule,
): boolean {
  return [weightFormat, activationFormat, outputFormat].some(
    (text) => text !== null && takesPreScale(parseFormat(text).format, scaleRule),
  )
}

function factorText(factor: number): string {
  return factor === 0.75 ? '3/4' : String(factor)
}

/**
 * What became of the pre-scale in these settings: "3/4", "0.9, literal", "off", or "off" with the reason why it
 * reaches nothing.
 */
export function preScaleText(
  preScale: PreScale | null,
  settings: readonly SettingFormats[],
  scaleRule: ScaleRule,
): string {
  if (scaleRule === 'fp32') return 'off (fp32 scales leave nothing to clip)'
  if (!settings.some((setting) => preScaleReaches(setting, scaleRule))) return 'off (no 4-bit MX operand)'
  if (!preScale || preScale.factor === 1) return 'off'
  return `${factorText(preScale.factor)}${preScale.variant === 'literal' ? ', literal' : ''}`
}
