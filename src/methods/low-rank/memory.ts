/** Memory of the low-rank branch. */
import { GRAM } from '../gptq/hessian'
import {
  columnStatistics,
  type MethodSize,
  type MitigationMemory,
  matrixClass,
  operandBytes,
  type TransformMemory,
} from '../memory'
import type { Mitigation, RotationInput } from '../method'
import { type LowRankOptions, lowRankOptions } from './options'
import { probeCount } from './subspace'

/** As correctWeight over `base`. */
export async function correctionMemory(
  base: Mitigation,
  size: MethodSize,
  input: RotationInput,
  transform: TransformMemory,
): Promise<MitigationMemory> {
  const options = lowRankOptions(input.options)
  const { outDim, inDim } = size
  const rank = Math.min(options.rank, outDim, inDim)
  const first = options.order === 'weight-first'
  // The rest of the weight has no bounds for its blocks.
  const clips = { ...transform.clips, weight: transform.clips.weight && !first }
  const below = await base.memory(size, input, { ...transform, clips })
  if (!input.config.weight || rank === 0) return below
  const { w } = operandBytes(size)
  const factors = matrixClass(rank, inDim) + matrixClass(outDim, rank)
  const branch = branchBytes(size, options, rank)
  const kept = below.kept + factors + (first ? w : 0)
  const working = first
    ? Math.max(branch, factors + 2 * w + below.working)
    : Math.max(below.working, below.kept + w + branch)
  const gram = options.weighting === 'qera-exact' ? [{ name: GRAM, bytes: matrixClass(inDim, inDim) }] : []
  return { working, shared: [...gram, ...below.shared], kept, rank }
}

/** As lowRankCorrection, its factors included, a Gram matrix aside. */
function branchBytes(size: MethodSize, { weighting }: LowRankOptions, rank: number): number {
  const { outDim, inDim, tokens } = size
  const factors = matrixClass(rank, inDim) + matrixClass(outDim, rank)
  if (rank >= inDim) return matrixClass(inDim, inDim) + 2 * factors
  const count = probeCount(rank, outDim)
  const projected = (weighting === 'plain' ? 1 : 2) * matrixClass(count, inDim)
  const probes = matrixClass(count, outDim)
  const turned = matrixClass(rank, count) + matrixClass(rank, outDim) + matrixClass(count, count)
  const statistics = weighting === 'plain' ? 0 : columnStatistics(tokens, inDim)
  const working = Math.max(2 * probes + projected, probes + projected + turned + factors, projected + 2 * factors)
  return Math.max(statistics, working)
}
