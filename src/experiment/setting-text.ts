/** How a setting and its pre-scale are written for people; ids stay in links and files. */
import { FORMATS } from '../formats/registry'
import { AS_LOADED } from './settings'

/** The formats of a setting by id; null: left as loaded. */
export interface FormatPair {
  readonly weightFormat: string | null
  readonly activationFormat: string | null
}

/** "W4A4" as it is; a pair of format ids by their labels, weights first: "MXFP6 E2M3 / MXINT8". */
export function settingLabel(settingId: string): string {
  return settingId
    .split('/')
    .map((side) => (side === AS_LOADED ? 'as loaded' : (FORMATS.find(({ id }) => id === side)?.label ?? side)))
    .join(' / ')
}

/** True when the 3/4 pre-scale reaches an operand of the setting (docs/formats.md). */
export function hasFourBitOperand({ weightFormat, activationFormat }: FormatPair): boolean {
  return FORMATS.some(({ id, element }) => element.bits === 4 && (id === weightFormat || id === activationFormat))
}

/** What became of the pre-scale in these settings: "3/4", "off", or "off (no 4-bit operand)". */
export function preScaleText(isOn: boolean, settings: readonly FormatPair[]): string {
  if (!settings.some(hasFourBitOperand)) return 'off (no 4-bit operand)'
  return isOn ? '3/4' : 'off'
}
