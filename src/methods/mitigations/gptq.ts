import { type GptqChoices, gptqOptions } from '../gptq/options'
import type { Mitigation } from '../method'

/**
 * Columns are rounded one after the other, and what one of them loses the later ones make up for, as far as the
 * calibration rows X' show how. Works on W' and X' of any transform, after the transform's clip of the weight.
 * Source: GPTQ, arXiv 2210.17323; numbers and deviations in docs/methods.md.
 */
function gptqFrom(
  { id, label, source }: Pick<Mitigation, 'id' | 'label' | 'source'>,
  defaults: Pick<GptqChoices, 'scales' | 'order'>,
): Mitigation {
  return {
    id,
    label,
    source,
    options: gptqOptions(defaults),
    quantizeWeight: async (...parameters) => (await import('../gptq/compensate')).compensate(...parameters),
  }
}

/** As the published code has it by default, but for fresh scales that are really fresh. */
export const gptq = gptqFrom(
  { id: 'gptq', label: 'GPTQ', source: 'GPTQ, arXiv 2210.17323' },
  { scales: 'fresh', order: 'natural' },
)

/** The order that suits outlier channels, and exponents chosen by error. */
export const gptqSearched = gptqFrom(
  { id: 'gptq-searched', label: 'GPTQ, act-order and searched scales', source: 'GPTQ, arXiv 2210.17323' },
  { scales: 'searched', order: 'act-order' },
)

/** As the checkpoints of MR-GPTQ were made. */
export const gptqObserved = gptqFrom(
  { id: 'gptq-observed', label: 'GPTQ, act-order and observed scales', source: 'MR-GPTQ, arXiv 2509.23202' },
  { scales: 'observer', order: 'act-order' },
)
