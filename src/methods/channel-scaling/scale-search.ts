import type { QuantConfig, Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { type GpuMatrix, matrixBytes } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { blockInner } from '../../gpu/kernels/block-inner'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { residualEnergy } from '../../gpu/kernels/residual-energy'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { SUM_WIDTH, stridedSums } from '../../gpu/kernels/strided-sums'
import { Recorder } from '../../gpu/recorder'
import { readFloats } from '../../gpu/transfer'
import { sharedHessian } from '../gptq/hessian'
import type { Context, FitInput } from '../method'
import { pacedSubmit } from '../pace'
import type { ScaleCandidate } from './awq-grid'
import { type ChannelScaling, uploadScaling, withScratch } from './scaling'

const STAGE = 'AWQ scale search'

/** Records the loss of one scale as SUM_WIDTH partial sums. */
type Loss = (recorder: Recorder, arena: Arena, scaling: ChannelScaling) => GPUBuffer

/**
 * ‖X Wᵀ − X' Ŵ'ᵀ‖² over the calibration rows for every candidate, in their order. X' stays as it is unless
 * `withActivations`, which rounds it as the setting does. All candidates run without a read-back in between; the losses
 * are read once.
 *
 * Accuracy: f32 sums in a fixed order. Throws the AbortError of the context's signal between candidates.
 */
export async function scaleLosses(
  input: FitInput,
  candidates: readonly ScaleCandidate[],
  { withActivations }: { readonly withActivations: boolean },
  context: Context,
): Promise<readonly number[]> {
  const { gpu, signal, onProgress } = context
  return withScratch(gpu, async (scratch) => {
    const lossOf = await chooseLoss(input, withActivations, { ...context, arena: scratch })
    const sums = scratch.buffer(4 * SUM_WIDTH * candidates.length, 'losses')
    const recorder = new Recorder(gpu)
    const submit = pacedSubmit(recorder, signal)
    for (const [k, { scale }] of candidates.entries()) {
      await withScratch(gpu, async (spent) => {
        const loss = lossOf(recorder, spent, uploadScaling(gpu, spent, scale))
        recorder.copy(loss, sums, 4 * SUM_WIDTH, { to: 4 * SUM_WIDTH * k })
        await submit()
      })
      onProgress({ stage: STAGE, done: k + 1, total: candidates.length })
    }
    const values = await readFloats(gpu, sums, SUM_WIDTH * candidates.length)
    signal.throwIfAborted()
    return candidates.map((_, k) =>
      values.subarray(k * SUM_WIDTH, (k + 1) * SUM_WIDTH).reduce((sum: number, value) => sum + value, 0),
    )
  })
}

async function chooseLoss(input: FitInput, withActivations: boolean, context: Context): Promise<Loss> {
  const { weight, calibration, config } = input
  const { activation } = config
  if (withActivations && activation) return productLoss(input, { ...config, activation })
  if (calibration.rows > calibration.cols && holdsGram(context.gpu, weight.cols)) {
    const { gram } = await sharedHessian(() => calibration, {
      ...context,
      onProgress: (progress) => context.onProgress({ ...progress, stage: 'AWQ statistics' }),
    })
    return gramLoss(weight, gram, config.weight)
  }
  return weightLoss(weight, calibration, config.weight)
}

function holdsGram({ adapter }: Gpu, channels: number): boolean {
  return matrixBytes(channels, channels) <= Math.min(adapter.maxBindingBytes, adapter.maxBufferBytes)
}

const rounded = (recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer | null) =>
  quantizer ? fakeQuantize(recorder, arena, matrix, quantizer) : matrix

/** E = Q(W · s) / s − W, what rounding under the scale does to the weight itself. */
function weightError(
  recorder: Recorder,
  arena: Arena,
  { weight, quantizer, scaling }: { weight: GpuMatrix; quantizer: Quantizer | null; scaling: ChannelScaling },
): GpuMatrix {
  const quantized = rounded(recorder, arena, scaleColumns(recorder, arena, weight, scaling.scale), quantizer)
  return addScaled(recorder, arena, scaleColumns(recorder, arena, quantized, scaling.inverse), weight, -1)
}

/** Σ a · b as SUM_WIDTH partial sums. */
function innerSums(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GPUBuffer {
  const perRow = blockInner(recorder, arena, { a, b, width: 'row' })
  return stridedSums(recorder, arena, perRow, { total: a.rows, width: SUM_WIDTH })
}

/** Σ over rows of e H eᵀ: independent of the number of tokens. */
function gramLoss(weight: GpuMatrix, gram: GpuMatrix, quantizer: Quantizer | null): Loss {
  return (recorder, arena, scaling) => {
    const error = weightError(recorder, arena, { weight, quantizer, scaling })
    // H is symmetric, so its rows serve as its columns.
    return innerSums(recorder, arena, error, matmulNt(recorder, arena, error, gram))
  }
}

/** ‖E Xᵀ‖²: cheaper than the Gram matrix where there are fewer tokens than channels. */
function weightLoss(weight: GpuMatrix, calibration: GpuMatrix, quantizer: Quantizer | null): Loss {
  return (recorder, arena, scaling) => {
    const error = weightError(recorder, arena, { weight, quantizer, scaling })
    const output = matmulNt(recorder, arena, error, calibration)
    return innerSums(recorder, arena, output, output)
  }
}

/** ‖X̂ Ŵ'ᵀ − Y‖² with both operands rounded: no shortcut, since the error of the activations depends on s. */
function productLoss({ weight, calibration, reference }: FitInput, config: QuantConfig): Loss {
  return (recorder, arena, scaling) => {
    const w = rounded(recorder, arena, scaleColumns(recorder, arena, weight, scaling.scale), config.weight)
    const x = rounded(recorder, arena, scaleColumns(recorder, arena, calibration, scaling.inverse), config.activation)
    return residualEnergy(recorder, arena, matmulNt(recorder, arena, x, w), reference).energySums
  }
}
