/** The formats a tensor may be given, as a menu shows them. */

import { formatBits } from '../figures/format-number'
import { bitsPerElement } from '../formats/bits-per-element'
import { chooseFormat, parseFormat } from '../formats/format-text'
import type { FormatChoice, NumberFormat } from '../formats/number-format'
import { type MxChoices, makeQuantizer } from '../formats/quantizer'

const FAMILIES: readonly (readonly [family: NumberFormat['family'], label: string])[] = [
  ['mx', 'MX'],
  ['nvfp', 'NV'],
  ['integer', 'Integer'],
  ['sixteen-bit', '16-bit'],
]

/** Formats of one family under its name. */
export interface FormatGroup {
  readonly label: string
  readonly formats: readonly { readonly id: string; readonly label: string }[]
}

/** What the menu is made for: the format that stands now, the run's choices, and the length of a row where known. */
export interface FormatMenuInput {
  readonly chosen: string | null
  readonly choices: MxChoices
  readonly inDim: number | null
}

/**
 * Families in menu order, each format with its bits per element: those of its options as chosen, and of the run's block
 * size. Where the length of a row is not known, a scale per row counts as no bits.
 */
export function formatMenu(formats: readonly NumberFormat[], input: FormatMenuInput): readonly FormatGroup[] {
  const chosen = input.chosen === null ? null : parseFormat(input.chosen)
  const text = (choice: FormatChoice) => {
    const bits = bitsPerElement(makeQuantizer(choice, input.choices), input.inDim ?? undefined)
    return `${choice.format.label} · ${formatBits(bits)} bits`
  }
  return FAMILIES.map(([family, label]) => ({
    label,
    formats: formats
      .filter((format) => format.family === family)
      .map((format) => ({
        id: format.id,
        label: text(chosen?.format.id === format.id ? chosen : chooseFormat(format)),
      })),
  })).filter((group) => group.formats.length > 0)
}
