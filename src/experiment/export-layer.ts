/** From a layer to a file the ecosystem reads: its weight quantized by a method, and what must run online beside it. */
import { InputError } from '../core/errors'
import { completeOptions, type OptionValues } from '../core/options'
import type { RunOptions } from '../core/progress'
import { VERSION } from '../core/version'
import { bf16 } from '../formats/bf16'
import { bitsPerElement } from '../formats/bits-per-element'
import type { Quantizer } from '../formats/number-format'
import { checkMxChoices } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import type { PackedMatrix } from '../gpu/kernels/packed-matrix'
import { transpose } from '../gpu/kernels/transpose'
import { readPacked } from '../gpu/read-packed'
import { Recorder } from '../gpu/recorder'
import { readMatrix } from '../gpu/transfer'
import { encodeWeight } from '../io/packing/encode'
import { quantizationConfig } from '../io/packing/quantization-config'
import { writeSafetensors } from '../io/write-safetensors'
import type { Context, FittedTransform, Method, QuantizedWeight } from '../methods/method'
import { clipSteps } from '../methods/online'
import { methodById } from '../methods/registry'
import { roundWeight } from '../methods/rounding/round-weight'
import { optionsOf } from './catalog'
import { checkReadBack } from './export-check'
import {
  activationWarnings,
  type ExportParts,
  formulaText,
  lowRankParts,
  moduleOf,
  onlineParts,
  upperHalves,
} from './export-parts'
import { checkProduct, type ExportRows } from './export-product'
import { checkExportLayout, type ExportedLayer, type ExportLayout, type ExportRequest } from './export-request'
import { recordEstimate } from './measure'
import { operandErrors, outputErrors, zeroNotes } from './metrics'
import type { OperandErrors } from './result'
import { quantizersOf } from './settings'
import { type SharingContext, sharedFit, sharedRounded, sharedRows, sharedWeight } from './shared-fit'
import { type WorkCache, withSession } from './shared-work'

/** A weight [out, in], and the rows a method may see; without rows it can only be rounded to nearest. */
export interface ExportSubject {
  /** Of the tensor. */
  readonly name: string
  readonly weight: GpuMatrix
  readonly calibration: GpuMatrix | null
  /** The file has it as [in, out]: decoded layouts are written so again. */
  readonly turned: boolean
  /** Of a tensor that is no matrix and was read as one; decoded layouts are written so again. */
  readonly shape?: readonly number[]
}

export interface ExportContext extends Pick<RunOptions, 'signal' | 'onProgress'> {
  readonly gpu: Gpu
  /** What is kept for the subject; absent: nothing outlives the export. */
  readonly work?: WorkCache
}

/** The method without a fit: what a subject without rows can have. */
const PLAIN = 'rtn'

/** What is done to a weight, checked and completed. */
export interface ExportPlan {
  readonly method: Method
  /** Complete. */
  readonly options: OptionValues
  readonly seed: number
  readonly headDim: number | null
  readonly weightQuantizer: Quantizer | null
  readonly activationQuantizer: Quantizer | null
  readonly layout: ExportLayout
  /** What the file's metadata says of all this; plain data. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** A weight as a method left it. */
interface Finished {
  readonly fitted: Pick<FittedTransform, 'weight' | 'online' | 'clip'>
  readonly product: QuantizedWeight
  readonly errors: ExportedLayer['errors']
  /** What the codes are tried on; null without rows. */
  readonly rows: ExportRows | null
  readonly notes: readonly string[]
}

/** Throws InputError for anything unknown: a method, its options, formats, choices. */
export function planExport(request: ExportRequest): ExportPlan {
  checkMxChoices(request)
  const { setting, seed, headDim, layout, scaleRule, rounding, blockSize, preScale } = request
  const method = methodById(request.method.id)
  const options = completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), request.method.options)
  const { weight, activation } = quantizersOf(setting, request)
  const { weightFormat, activationFormat, outputFormat } = setting
  const formats = { setting: setting.id, weightFormat, activationFormat, outputFormat }
  const facts = { ...formats, scaleRule, rounding, blockSize, preScale }
  return { method, options, seed, headDim, weightQuantizer: weight, activationQuantizer: activation, layout, facts }
}

/** As quantizeToFile, for a request of the page. */
export function exportLayer(
  subject: ExportSubject,
  request: ExportRequest,
  context: ExportContext,
): Promise<ExportedLayer> {
  return quantizeToFile(subject, planExport(request), context)
}

/**
 * Quantizes the weight of `subject` as planned and returns it as a safetensors file in the layout asked for. The file has
 * been read back by our own reader: the tensor it gives is Ŵ, bit for bit (of dequantized-bf16: Ŵ rounded to BF16, half to
 * even). Codes have been multiplied with the calibration rows and give the output SQNR of Ŵ. All of the subject's rows
 * calibrate.
 *
 * Throws InputError PK-06 for a format the layout has no place for, before any work; what the method throws; FileError
 * EX-01 when the file does not give Ŵ again, EX-04 when its codes do not give the product of Ŵ; AbortError.
 */
export async function quantizeToFile(
  subject: ExportSubject,
  plan: ExportPlan,
  { gpu, signal, onProgress, work }: ExportContext,
): Promise<ExportedLayer> {
  checkExportLayout(plan.weightQuantizer, plan.layout, { name: subject.name, cols: subject.weight.cols })
  const arena = new Arena(gpu)
  try {
    return await withSession({ gpu, now: () => 0, work }, subject, (session) =>
      withErrorScopes(gpu, signal, async () => {
        const context = { gpu, arena, signal, onProgress, seed: plan.seed, session }
        const finished = await quantizeSubject(subject, plan, context)
        signal.throwIfAborted()
        return await writeSubject(subject, plan, finished, context)
      }),
    )
  } finally {
    arena.release()
  }
}

async function quantizeSubject(subject: ExportSubject, plan: ExportPlan, context: SharingContext): Promise<Finished> {
  const { weight, calibration } = subject
  const { method, options, headDim } = plan
  const { gpu, arena } = context
  const config = { weight: plan.weightQuantizer, activation: plan.activationQuantizer }
  if (!calibration) {
    if (method.id !== PLAIN) {
      throw new InputError('AC-05', `${method.id}: expected calibration rows for "${subject.name}", found none.`)
    }
    const fitted = { weight, online: [], clip: null }
    const product = roundWeight(fitted, { config }, context)
    const { errors, notes } = await weightErrors(subject.name, { fitted, product }, plan, context)
    return {
      fitted,
      product,
      errors: { weight: errors, calibration: null },
      rows: null,
      notes: [...product.notes, ...notes],
    }
  }
  const { calibration: known } = await sharedRows({ weight, calibration, evaluation: calibration }, context)
  const { reference } = known
  const input = { weight, calibration, reference, config, options, headDim }
  const fit = await sharedFit(method, input, context)
  const { fitted } = fit
  context.signal.throwIfAborted()
  const product = await sharedWeight(method, fit, { input, context })
  const side = { set: 'calibration', rows: calibration, quantizer: config.activation } as const
  const operands = { transformed: fitted.apply(calibration), rounded: await sharedRounded(fit, side, context) }
  const recorder = new Recorder(gpu)
  const estimate = recordEstimate(recorder, arena, { product, output: null }, operands)
  const sums = outputErrorSums(recorder, arena, reference, estimate)
  recorder.submit()
  const output = outputErrors(await readOutputErrors(gpu, sums), calibration.rows)
  const { errors, notes } = await weightErrors(subject.name, { fitted, product }, plan, context)
  return {
    fitted,
    product,
    errors: { weight: errors, calibration: output },
    rows: { reference, ...operands, errors: output },
    notes: [...fitted.report.notes, ...product.notes, ...notes],
  }
}

/** What rounding did to W', and what to know about it. */
async function weightErrors(
  name: string,
  { fitted, product }: Pick<Finished, 'product'> & { readonly fitted: Pick<FittedTransform, 'weight'> },
  { weightQuantizer }: ExportPlan,
  { gpu, arena }: Context,
): Promise<{ readonly errors: OperandErrors | null; readonly notes: readonly string[] }> {
  if (!weightQuantizer) return { errors: null, notes: [] }
  const recorder = new Recorder(gpu)
  const sums = operandErrorSums(recorder, arena, fitted.weight, product.weight, weightQuantizer)
  recorder.submit()
  const totals = await readOperandErrors(gpu, sums)
  return { errors: operandErrors(totals), notes: zeroNotes(`"${name}"`, totals) }
}

async function writeSubject(
  subject: ExportSubject,
  plan: ExportPlan,
  finished: Finished,
  context: Context,
): Promise<ExportedLayer> {
  const { name } = subject
  const { fitted, product } = finished
  const { activationQuantizer: activation } = plan
  const { gpu } = context
  const channels = subject.weight.cols
  const steps = [...fitted.online, ...clipSteps(gpu, { clip: fitted.clip, channels }, activation)]
  const { parts, expected, packed } = await weightParts(subject, plan, product, context)
  const online = await onlineParts(name, steps)
  const branch = await lowRankParts(gpu, name, product.correction)
  const tensors = [...parts.tensors, ...online.tensors, ...branch.tensors]
  const metadata = {
    ...parts.metadata,
    ...online.metadata,
    ...branch.metadata,
    ...describePlan(name, plan),
    'mxscope.adapter': gpu.adapter.description,
    [`mxscope.formula.${name}`]: formulaText(name, { steps, correction: product.correction, activation }),
  }
  const file = writeSafetensors(tensors, metadata)
  await checkReadBack(file, name, expected)
  const isTried = packed !== null && finished.rows !== null
  const tried = isTried
    ? [await checkProduct(name, { packed, correction: product.correction }, finished.rows, context)]
    : []
  return {
    file,
    tensors: tensors.map(({ name: of, dtype, shape, bytes, role }) => {
      return { name: of, dtype, shape, byteLength: bytes.length, role }
    }),
    config: configText([name], plan),
    warnings: [...parts.warnings, ...online.warnings, ...activationWarnings(name, activation), ...branch.warnings],
    errors: finished.errors,
    bitsPerElement: bitsOf(subject, plan, product),
    notes: [...finished.notes, ...tried],
  }
}

/** The weight itself in the layout asked for, the values that reading it back must give, and its codes where it has them. */
async function weightParts(
  { name, turned, shape }: ExportSubject,
  { layout }: ExportPlan,
  product: QuantizedWeight,
  { gpu, arena }: Context,
): Promise<{ readonly parts: ExportParts; readonly expected: Float32Array; readonly packed: PackedMatrix | null }> {
  if (layout === 'compressed-tensors' || layout === 'blocks-scales') {
    if (!product.pack) throw new InputError('BUG', `export: expected codes of "${name}", found none.`)
    const recorder = new Recorder(gpu)
    const packed = product.pack(recorder, arena)
    recorder.submit()
    const encoded = encodeWeight(name, await readPacked(gpu, packed), layout)
    const tensors = encoded.tensors.map((tensor) => ({ ...tensor, role: 'weight' as const }))
    const turnedWarning = turned ? [`${name}: stored as [in, out] in its file, written as [out, in] here.`] : []
    const warnings = [...encoded.warnings, ...turnedWarning]
    const expected = (await readMatrix(gpu, product.weight)).data
    return { parts: { ...encoded, tensors, warnings }, expected, packed }
  }
  const recorder = new Recorder(gpu)
  const stored = turned ? transpose(recorder, arena, product.weight) : product.weight
  const isHalf = layout === 'dequantized-bf16'
  const written = isHalf ? fakeQuantize(recorder, arena, stored, { family: 'sixteen-bit', format: bf16 }) : stored
  recorder.submit()
  const { rows, cols, data } = await readMatrix(gpu, written)
  const bytes = isHalf ? upperHalves(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const tensor = { name, dtype: isHalf ? ('BF16' as const) : ('F32' as const), shape: shape ?? [rows, cols], bytes }
  const warnings = isHalf ? roundingWarnings(name, (await readMatrix(gpu, stored)).data, data) : []
  return { parts: { tensors: [{ ...tensor, role: 'weight' }], metadata: {}, warnings }, expected: data, packed: null }
}

/** What rounding the decoded values to BF16 changed. */
function roundingWarnings(name: string, exact: Float32Array, rounded: Float32Array): string[] {
  let changed = 0
  let largest = 0
  exact.forEach((value, i) => {
    if (value === rounded[i]) return
    changed++
    largest = Math.max(largest, Math.abs(rounded[i] / value - 1))
  })
  if (changed === 0) return []
  return [
    `${name}: ${changed} of ${exact.length} decoded values are no BF16 numbers and were rounded half to even, by at most ` +
      `${(100 * largest).toPrecision(2)} %.`,
  ]
}

/** Method, options, seed, formats, choices and version, under keys that end in the weight's name. */
function describePlan(name: string, { method, options, seed, headDim, layout, facts }: ExportPlan) {
  const all = { method: method.id, options, seed, ...facts, headDim, layout }
  return { 'mxscope.version': VERSION, [`mxscope.export.${name}`]: JSON.stringify(all) }
}

/** The `quantization_config` of these weights as JSON text; null for a layout that has none. */
export function configText(names: readonly string[], { layout, weightQuantizer }: ExportPlan): string | null {
  if (!weightQuantizer || (layout !== 'compressed-tensors' && layout !== 'blocks-scales')) return null
  const scope = { targets: names.map(moduleOf), ignore: [] }
  return `${JSON.stringify({ quantization_config: quantizationConfig(weightQuantizer, layout, scope) }, null, 2)}\n`
}

function bitsOf({ weight }: ExportSubject, { weightQuantizer }: ExportPlan, { correction }: QuantizedWeight) {
  const stored = weightQuantizer ? bitsPerElement(weightQuantizer, weight.cols) : 32
  return stored + (correction?.bits ?? 0) / (weight.rows * weight.cols)
}
