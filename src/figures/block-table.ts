import type { InspectedElement, Inspection, RuleOutcome } from '../experiment/inspect-block'
import { formatLabel, parseFormat } from '../formats/format-text'
import type { DataTable } from './figure'
import { formatDifference, formatF32 } from './format-f32'
import { formatDecibels } from './format-number'
import { describeScale } from './scale-text'

/** One block under one format. */
export interface InspectedSide {
  /** The format with its options, as text. */
  readonly text: string
  readonly inspection: Inspection
}

function readBack({ reconstruction, zeroed, clipped }: InspectedElement): string {
  const value = formatF32(reconstruction)
  if (clipped) return `${value} clipped`
  return zeroed ? `${value} zeroed` : value
}

/** The label of a format, told apart from the same one on the other side. */
export function sideLabel(text: string, side: number, texts: readonly string[]): string {
  const label = formatLabel(parseFormat(text))
  return side > 0 && texts[0] === text ? `${label} (2)` : label
}

/** Every element of a block: what it is, and under each format its code, what that is read back as, and the error. */
export function blockTable(sides: readonly InspectedSide[]): DataTable {
  const texts = sides.map(({ text }) => text)
  const labels = texts.map((text, side) => sideLabel(text, side, texts))
  const elements = sides[0]?.inspection.elements ?? []
  return {
    columns: ['channel', 'value', ...labels.flatMap((label) => [`${label} code`, `${label} value`, `${label} error`])],
    rows: elements.map(({ column, value }, i) => [
      String(column),
      formatF32(value),
      ...sides.flatMap(({ inspection }) => {
        const element = inspection.elements[i]
        return [element.bits, readBack(element), formatDifference(element.error)]
      }),
    ]),
  }
}

/** What each scale rule would do with the block. */
export function ruleTable(outcomes: readonly RuleOutcome[]): DataTable {
  return {
    columns: ['rule', 'scale', 'SQNR [dB]'],
    rows: outcomes.map(({ rule, scale, sqnrDb }) => [rule, describeScale(scale), formatDecibels(sqnrDb)]),
  }
}

/** "scale byte 0x81, 2² = 4; SQNR 9.3 dB, zeroed 21 of 32, clipped 0", every scale where there are several. */
export function describeInspection({ scales, elements, sqnrDb, zeroed, clipped }: Inspection): string {
  const scaleText = scales.map(({ start, end, scale }) =>
    scales.length === 1 ? describeScale(scale) : `channels ${start}–${end - 1}: ${describeScale(scale)}`,
  )
  return `${scaleText.join('; ')}. SQNR ${formatDecibels(sqnrDb)} dB, zeroed ${zeroed} of ${elements.length}, clipped ${clipped}.`
}
