import type { QuantConfig, Quantizer } from '../../formats/number-format'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { type BlockWidth, blockLayout } from '../../gpu/kernels/block-layout'
import { scaleBlock } from '../channel-scaling/scale-block'
import { columnMaxima } from '../channel-scaling/statistics'
import { startTheta } from '../flatquant/start'
import { type Blocks, hadamardBlocks } from './blocks'

/** Logits of a clip, and the blocks it cuts. */
export interface BlockClip {
  readonly width: BlockWidth
  readonly logits: Float32Array
}

/**
 * What is learned for one layer, on the CPU. X' = (X · d) R, W' = (W / d) R⁻ᵀ with R block-diagonal; d stays as it starts,
 * so that a step changes all channels alike, however large they are.
 */
export interface BlockAffineParameters {
  /** d [in] */
  readonly scale: Float64Array
  readonly blocks: Blocks
  /** One logit per block position; null when activations are not quantized. */
  readonly activationClip: BlockClip | null
  /** One logit per row and block; null when weights are not quantized. */
  readonly weightClip: BlockClip | null
}

/** Clip logits start here: s(4) = 0.982 of each block's largest magnitude. */
const CLIP_START = 4

/** Where learning starts: d of startTheta, R = I ⊗ H, clips of 0.982 on the sides that are quantized. */
export async function startParameters(
  gpu: Gpu,
  layer: { readonly weight: GpuMatrix; readonly calibration: GpuMatrix; readonly config: QuantConfig },
  { alpha, size }: { alpha: number; size: number },
): Promise<BlockAffineParameters> {
  const { weight, calibration, config } = layer
  const [weightMax, activationMax] = await Promise.all([columnMaxima(gpu, weight), columnMaxima(gpu, calibration)])
  const clip = (quantizer: Quantizer | null, rows: number): BlockClip | null => {
    if (!quantizer) return null
    const width = scaleBlock(quantizer) ?? size
    return { width, logits: new Float32Array(rows * blockLayout(weight, width).blocks).fill(CLIP_START) }
  }
  return {
    scale: Float64Array.from(startTheta(weightMax, activationMax, alpha), Math.exp),
    blocks: hadamardBlocks(weight.cols, size),
    activationClip: clip(config.activation, 1),
    weightClip: clip(config.weight, weight.rows),
  }
}
