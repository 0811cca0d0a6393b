/** Memory of rounding to nearest. */
import type { QuantConfig } from '../../formats/number-format'
import { type MethodSize, type MitigationMemory, operandBytes, roundedCopies, type TransformMemory } from '../memory'

/** As roundWeight: Ŵ, and the clipped weight it is packed from. */
export function roundingMemory(
  size: MethodSize,
  { weight }: QuantConfig,
  { clips }: Pick<TransformMemory, 'clips'>,
): MitigationMemory {
  const copies = weight ? roundedCopies(weight) + Number(clips.weight) : 0
  const kept = copies * operandBytes(size).w
  return { working: kept, shared: [], kept, rank: 0 }
}
