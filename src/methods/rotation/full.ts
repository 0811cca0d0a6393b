import { describeHadamard, planHadamard } from '../../core/hadamard'
import { randomSigns } from '../../core/random'
import { hadamard } from '../../gpu/kernels/hadamard'
import { hadamardStep } from '../online'
import type { Rotation } from './rotation'

/**
 * diag(signs) · H_n / √n over all channels, or the mixed rotation where no Hadamard matrix is known for n. Throws
 * InputError MD-01 where neither can be had.
 */
export function fullHadamard(channels: number, { seed, signs }: { seed: number; signs: boolean }): Rotation {
  const plan = planHadamard(channels, seed)
  const signed = { ...plan, signs: signs ? randomSigns(channels, seed) : null }
  return {
    rotate: (recorder, arena, matrix) => hadamard(recorder, arena, matrix, signed),
    online: hadamardStep(plan, signed.signs && { values: signed.signs, seed }),
    notes: [describeHadamard(plan), signs ? `Random signs from seed ${seed}.` : 'Without random signs.'],
    // Additions of the butterfly, and multiply-adds of the outer matrix.
    onlineOperations: channels * (plan.log2 + (plan.order === 1 ? 0 : plan.order)),
    onlineBytes: signs ? signBytes(channels) : 0,
  }
}

/** A bit per channel. */
export const signBytes = (channels: number) => Math.ceil(channels / 8)
