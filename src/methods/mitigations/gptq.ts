import { GPTQ_OPTIONS } from '../gptq/options'
import type { Mitigation } from '../method'

/**
 * Columns are rounded one after the other, and what one of them loses the later ones make up for, as far as the
 * calibration rows X' show how. Works on W' and X' of any transform, after the transform's clip of the weight.
 * Source: GPTQ, arXiv 2210.17323; numbers and deviations in docs/methods.md.
 */
export const gptq: Mitigation = {
  id: 'gptq',
  label: 'GPTQ',
  source: 'GPTQ, arXiv 2210.17323',
  options: GPTQ_OPTIONS,
  quantizeWeight: async (...parameters) => (await import('../gptq/compensate')).compensate(...parameters),
  prepareRows: async (...parameters) => (await import('../gptq/compensate')).prepareGptqRows(...parameters),
  memory: async (...parameters) => (await import('../gptq/memory')).compensationMemory(...parameters),
}
