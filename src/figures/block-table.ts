import type { Inspection, RuleOutcome } from '../experiment/inspect-block'
import { formatLabel, parseFormat } from '../formats/format-text'
import type { Quantizer } from '../formats/number-format'
import type { DataTable } from './figure'
import { formatDifference, formatF32 } from './format-f32'
import { formatDecibels } from './format-number'
import { describeScale } from './scale-text'
import { elementText, valueText } from './value-text'

/** One block under one format. */
export interface InspectedSide {
  /** The format with its options, as text. */
  readonly text: string
  readonly quantizer: Quantizer
  readonly inspection: Inspection
}

/** The label of a format, told apart from the same one on the other side. */
export function sideLabel(text: string, side: number, texts: readonly string[]): string {
  const label = formatLabel(parseFormat(text))
  return side > 0 && texts[0] === text ? `${label} (2)` : label
}

/** One element under one format, as text. */
export interface ElementCells {
  readonly code: string
  /** The value of the code before its scale. */
  readonly element: string
  readonly value: string
  readonly error: string
  readonly exactError: string
  /** How the value comes about, with every digit: "1.5 × 2⁻³ = 0.1875". */
  readonly derivation: string
  readonly lost: 'clipped' | 'zeroed' | null
}

export interface ElementRow {
  readonly channel: string
  readonly value: string
  /** The value with every digit an f32 number may need. */
  readonly exactValue: string
  /** One per format, in the order of the sides. */
  readonly cells: readonly ElementCells[]
}

/** Every element of a block: what it is, and under each format its code, what that is read back as, and the error. */
export interface ElementTable {
  readonly formats: readonly string[]
  readonly rows: readonly ElementRow[]
}

/** The size of an error is what one reads off; its last digits are in the values. */
const ERROR_DIGITS = 4

function elementCells({ quantizer, inspection: { scales, elements } }: InspectedSide, i: number): ElementCells {
  const { column, code, bits, reconstruction, error, clipped, zeroed } = elements[i]
  const scale = scales.find(({ end }) => column < end)?.scale ?? { kind: 'none' as const }
  return {
    code: bits,
    element: elementText(code, scale, quantizer),
    value: formatDifference(reconstruction),
    error: formatDifference(error, ERROR_DIGITS),
    exactError: formatDifference(error),
    derivation: valueText(code, scale, quantizer),
    lost: clipped ? 'clipped' : zeroed ? 'zeroed' : null,
  }
}

/** Values of six significant digits, errors of four; `exactValue`, `derivation` and `exactError` have more. */
export function elementTable(sides: readonly InspectedSide[]): ElementTable {
  const texts = sides.map(({ text }) => text)
  return {
    formats: texts.map((text, side) => sideLabel(text, side, texts)),
    rows: (sides[0]?.inspection.elements ?? []).map(({ column, value }, i) => ({
      channel: String(column),
      value: formatDifference(value),
      exactValue: formatF32(value),
      cells: sides.map((side) => elementCells(side, i)),
    })),
  }
}

/** What each scale rule would do with the block. */
export function ruleTable(outcomes: readonly RuleOutcome[]): DataTable {
  return {
    columns: ['rule', 'scale', 'SQNR [dB]'],
    rows: outcomes.map(({ rule, scale, sqnrDb }) => [rule, describeScale(scale), formatDecibels(sqnrDb)]),
  }
}

/** "byte 0x81, 2² = 4. SQNR 9.3 dB, zeroed 21 of 32, clipped 0; largest error 0.8, at channel 5.", every scale where there are several. */
export function describeInspection({ scales, elements, sqnrDb, zeroed, clipped }: Inspection): string {
  const scaleText = scales.map(({ start, end, scale }) =>
    scales.length === 1 ? describeScale(scale) : `channels ${start}–${end - 1}: ${describeScale(scale)}`,
  )
  const errors = elements.filter(({ error }) => Number.isFinite(error))
  const [first] = errors
  const worst = errors.reduce((most, each) => (Math.abs(each.error) > Math.abs(most.error) ? each : most), first)
  const largest = !worst
    ? ''
    : worst.error === 0
      ? '; no element has an error'
      : `; largest error ${formatDifference(worst.error, ERROR_DIGITS)}, at channel ${worst.column}`
  return `${scaleText.join('; ')}. SQNR ${formatDecibels(sqnrDb)} dB, zeroed ${zeroed} of ${elements.length}, clipped ${clipped}${largest}.`
}

/** What clipping means under these formats, where it is not what one would think. */
export function clippingNote(quantizers: readonly Quantizer[]): string | null {
  return quantizers.some(({ family }) => family === 'nvfp')
    ? 'NVFP4: the block scale is rounded to E4M3, so the largest element may exceed it.'
    : null
}
