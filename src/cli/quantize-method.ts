/** One weight as a method without change of basis quantizes it, measured on the rows it calibrated on. */
import { operandErrors, outputErrors, zeroNotes } from '../experiment/metrics'
import { bitsPerElement } from '../formats/bits-per-element'
import type { Quantizer } from '../formats/number-format'
import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { transpose } from '../gpu/kernels/transpose'
import { Recorder } from '../gpu/recorder'
import { readMatrix } from '../gpu/transfer'
import type { TensorToWrite } from '../io/write-safetensors'
import { addCorrection } from '../methods/low-rank/correct-weight'
import type { Context, FitInput, QuantizedWeight } from '../methods/method'
import type { Terminal } from './command'
import { noteProgress, type OpenLayer, withLayer } from './open-layer'
import type { WeightMethod } from './quantize-method-arguments'

async function writable(gpu: Gpu, name: string, matrix: GpuMatrix): Promise<TensorToWrite> {
  const { rows, cols, data } = await readMatrix(gpu, matrix)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { name, dtype: 'F32', shape: [rows, cols], bytes }
}

/** The errors of the weight, and of the output with the branch: calibration rows, as loaded. */
async function errorsOf(
  { weight, correction }: QuantizedWeight,
  input: FitInput,
  quantizer: Quantizer,
  context: Context,
) {
  const { gpu, arena } = context
  const { calibration: x, reference } = input
  const recorder = new Recorder(gpu)
  const main = matmulNt(recorder, arena, x, weight)
  const product = correction ? addCorrection(recorder, arena, { product: main, x }, correction) : main
  const outputSums = outputErrorSums(recorder, arena, reference, product)
  const weightSums = operandErrorSums(recorder, arena, input.weight, weight, quantizer)
  recorder.submit()
  const calibration = outputErrors(await readOutputErrors(gpu, outputSums), x.rows)
  return { calibration, totals: await readOperandErrors(gpu, weightSums) }
}

function referenceOf(gpu: Gpu, arena: Arena, x: GpuMatrix, weight: GpuMatrix): GpuMatrix {
  const recorder = new Recorder(gpu)
  const reference = matmulNt(recorder, arena, x, weight)
  recorder.submit()
  return reference
}

/** The weight [out, in] as the file has it: [in, out] where it was turned. */
function asStored(gpu: Gpu, arena: Arena, weight: GpuMatrix, wasTurned: boolean): GpuMatrix {
  if (!wasTurned) return weight
  const recorder = new Recorder(gpu)
  const turned = transpose(recorder, arena, weight)
  recorder.submit()
  return turned
}

async function quantizeLoaded(
  { layer, turned, gpu, arena, signal }: OpenLayer,
  { method, options, seed }: WeightMethod,
  quantizer: Quantizer,
  terminal: Terminal,
) {
  const { name, weight, calibration } = layer
  const onProgress: Context['onProgress'] = (progress) => noteProgress(method.id, progress, terminal)
  const context: Context = { gpu, arena, signal, seed, onProgress }
  const reference = referenceOf(gpu, arena, calibration, weight)
  const input: FitInput = { weight, calibration, reference, config: { weight: quantizer, activation: null }, options }
  const fitted = await method.transform.fit(input, context)
  const product = await method.mitigation.quantizeWeight(fitted, input, context)
  const { calibration: errors, totals } = await errorsOf(product, input, quantizer, context)
  const { correction } = product
  const notes = [...fitted.report.notes, ...product.notes, ...zeroNotes(`"${name}"`, totals)]
  for (const note of notes) terminal.note(note)
  const outputs = [await writable(gpu, name, asStored(gpu, arena, product.weight, turned))]
  if (correction) {
    outputs.push(await writable(gpu, `${name}.low_rank_a`, correction.left))
    outputs.push(await writable(gpu, `${name}.low_rank_b`, correction.right))
  }
  const bits = bitsPerElement(quantizer, weight.cols) + (correction?.bits ?? 0) / (weight.rows * weight.cols)
  const [{ shape }, ...branch] = outputs
  return {
    outputs,
    report: [{ name, shape, ...operandErrors(totals), bitsPerElement: bits, nonFiniteCount: 0 }],
    facts: {
      ...{ method: method.id, options, seed },
      activations: layer.facts.activations,
      calibration: errors,
      lowRank: branch.map((one) => ({ name: one.name, shape: one.shape })),
      notes,
    },
  }
}

/**
 * Quantizes the weight `asked` names: the tensors to write, what rounding did, and what the method adds to the report.
 * Throws what loading throws (TS-04 for an element that is not finite), and what the method throws.
 */
export function quantizeByMethod(asked: WeightMethod, quantizer: Quantizer, terminal: Terminal) {
  return withLayer(asked.layer, terminal, (open) =>
    withErrorScopes(open.gpu, open.signal, () => quantizeLoaded(open, asked, quantizer, terminal)),
  )
}
