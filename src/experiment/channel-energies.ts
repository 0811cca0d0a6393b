/** Signal and noise of both operands, channel by channel, and the output error they make. */
import type { QuantConfig, Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { addScaled } from '../gpu/kernels/add-scaled'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { productColumnSums } from '../gpu/kernels/product-column-sums'
import { Recorder } from '../gpu/recorder'
import { readFloats } from '../gpu/transfer'

/** Sums of squares. Arrays are [in]. */
export interface ChannelEnergies {
  /** E_c = Σ_t X² and N^X_c = Σ_t (X̂ − X)²; zeros where activations are left as they are. */
  readonly x: Float64Array
  readonly xNoise: Float64Array
  /** Ω_c = Σ_r W² and N^W_c = Σ_r (Ŵ − W)² */
  readonly w: Float64Array
  readonly wNoise: Float64Array
  /** ‖Y‖² and ‖X̂ Ŵᵀ − Y‖² */
  readonly output: { readonly reference: number; readonly error: number }
}

/** The operands of one product, and what it gives in full precision. */
export interface ProductOperands {
  /** [tokens, in] */
  readonly activations: GpuMatrix
  /** [out, in] */
  readonly weight: GpuMatrix
  /** [tokens, out] */
  readonly reference: GpuMatrix
}

/** The column energies of a matrix and of its rounding noise, and the rounded matrix. */
function recordOperand(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer | null) {
  const energy = (of: GpuMatrix) => productColumnSums(recorder, arena, [{ left: of, right: of, sign: 1 }])
  if (!quantizer) return { rounded: matrix, signal: energy(matrix), noise: null }
  const rounded = fakeQuantize(recorder, arena, matrix, quantizer)
  return { rounded, signal: energy(matrix), noise: energy(addScaled(recorder, arena, rounded, matrix, -1)) }
}

/**
 * The energies of `operands` rounded to nearest by `config`. One submit; reads four numbers per channel back. Sums in f32
 * over slabs of 32 rows, added in order: relative error below (32 + rows / 32) · 2^-24, while squares are normal f32 numbers.
 */
export async function channelEnergies(
  gpu: Gpu,
  { activations, weight, reference }: ProductOperands,
  config: QuantConfig,
): Promise<ChannelEnergies> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const x = recordOperand(recorder, arena, activations, config.activation)
    const w = recordOperand(recorder, arena, weight, config.weight)
    const sums = outputErrorSums(recorder, arena, reference, matmulNt(recorder, arena, x.rounded, w.rounded))
    recorder.submit()
    const { cols } = weight
    const read = async (buffer: GPUBuffer | null) =>
      buffer ? Float64Array.from(await readFloats(gpu, buffer, cols)) : new Float64Array(cols)
    const buffers = [x.signal, x.noise, w.signal, w.noise]
    const [columns, output] = await Promise.all([Promise.all(buffers.map(read)), readOutputErrors(gpu, sums)])
    const [xSignal, xNoise, wSignal, wNoise] = columns
    return {
      x: xSignal,
      xNoise,
      w: wSignal,
      wNoise,
      output: { reference: output.referenceEnergy, error: output.errorEnergy },
    }
  } finally {
    arena.release()
  }
}
