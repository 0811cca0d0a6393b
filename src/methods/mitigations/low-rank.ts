import { LOW_RANK_OPTIONS } from '../low-rank/options'
import type { Mitigation } from '../method'

/**
 * `base` with a low-rank branch in BF16 beside the quantized product: Ŷ = X̂ Ŵᵀ + (X' A) B. Has the options of both.
 * Sources: LQER, arXiv 2402.02446; QERA, arXiv 2410.06040; SVDQuant, arXiv 2411.05007.
 */
export function withLowRank(base: Mitigation, { id, label }: { id: string; label: string }): Mitigation {
  return {
    id,
    label,
    source: 'LQER, arXiv 2402.02446; QERA, arXiv 2410.06040; SVDQuant, arXiv 2411.05007',
    options: [...base.options, ...LOW_RANK_OPTIONS],
    quantizeWeight: async (transformed, input, context) =>
      (await import('../low-rank/correct-weight')).correctWeight(base, transformed, { input, context }),
    memory: async (...parameters) => (await import('../low-rank/memory')).correctionMemory(base, ...parameters),
  }
}
