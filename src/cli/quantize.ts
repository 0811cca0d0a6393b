import { InputError } from '../core/errors'
import { uploadRows } from '../experiment/load-tensor'
import { operandErrors, zeroNotes } from '../experiment/metrics'
import { bitsPerElement } from '../formats/bits-per-element'
import type { Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { Recorder } from '../gpu/recorder'
import { readMatrix } from '../gpu/transfer'
import { describeNonFinite } from '../io/non-finite'
import { checkDecodable, decodable } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { type TensorToWrite, writeSafetensors } from '../io/write-safetensors'
import { type Command, EXIT, type Terminal } from './command'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, tensorByName, withFile } from './open-file'
import { alignTable, decimals, writeJson, writeWhole } from './output'
import {
  describeQuantizer,
  parseQuantize,
  type QuantizeArguments,
  quantizeHelp,
  quantizerText,
} from './quantize-arguments'
import { quantizeByMethod } from './quantize-method'

function chooseTensors(file: OpenFile, names: readonly string[]): readonly TensorView[] {
  const hasAxis = (tensor: TensorView) => tensor.shape.length > 0 && !tensor.shape.includes(0)
  if (names.length === 0) {
    const tensors = file.tensors.filter((tensor) => decodable(tensor) && hasAxis(tensor))
    if (tensors.length > 0) return tensors
    throw new InputError('TS-01', `${file.source.name}: no floating-point tensor that can be quantized.`)
  }
  return [...new Set(names)].map((name) => {
    const tensor = tensorByName(file, name)
    checkDecodable(tensor)
    if (hasAxis(tensor)) return tensor
    throw new InputError(
      'TS-02',
      `tensor "${name}": expected an axis to quantize along, found shape [${tensor.shape}].`,
    )
  })
}

/** One tensor, quantized: the values a decoder reads back, and what rounding did. */
async function quantizeTensor(gpu: Gpu, file: OpenFile, tensor: TensorView, quantizer: Quantizer) {
  const arena = new Arena(gpu)
  try {
    const rows = tensor.shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
    const { signal } = new AbortController()
    const from = { source: file.source, tensor }
    const { matrix, nonFinite } = await uploadRows(from, { start: 0, end: rows }, { gpu, arena, signal })
    const recorder = new Recorder(gpu)
    const rounded = fakeQuantize(recorder, arena, matrix, quantizer)
    const sums = operandErrorSums(recorder, arena, matrix, rounded, quantizer)
    recorder.submit()
    const totals = await readOperandErrors(gpu, sums)
    const warning = describeNonFinite(tensor, nonFinite)
    const notes = [...(warning ? [`warning: ${warning}`] : []), ...zeroNotes(`"${tensor.name}"`, totals)]
    return { values: (await readMatrix(gpu, rounded)).data, errors: operandErrors(totals), nonFinite, notes }
  } finally {
    arena.release()
  }
}

async function quantizeAll(file: OpenFile, parsed: QuantizeArguments, terminal: Terminal) {
  const tensors = chooseTensors(file, parsed.names)
  const gpu = await openNodeGpu()
  const outputs: TensorToWrite[] = []
  const report = []
  for (const [index, tensor] of tensors.entries()) {
    terminal.note(`${tensor.name} (${index + 1} of ${tensors.length}) …`)
    const { name, shape } = tensor
    const { values, errors, nonFinite, notes } = await withErrorScopes(gpu, new AbortController().signal, () =>
      quantizeTensor(gpu, file, tensor, parsed.quantizer),
    )
    for (const note of notes) terminal.note(note)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    outputs.push({ name, dtype: 'F32' as const, shape, bytes })
    const { nan, positiveInfinity, negativeInfinity } = nonFinite
    const bits = bitsPerElement(parsed.quantizer, shape[shape.length - 1])
    report.push({
      name,
      shape,
      ...errors,
      bitsPerElement: bits,
      nonFiniteCount: nan + positiveInfinity + negativeInfinity,
    })
  }
  return { outputs, report, facts: null }
}

type MethodFacts = Awaited<ReturnType<typeof quantizeByMethod>>['facts']

/** Rounded to nearest, or as the method has it. */
function quantizeAsAsked(parsed: QuantizeArguments, terminal: Terminal) {
  const { method, quantizer } = parsed
  if (method) return quantizeByMethod(method, quantizer, terminal)
  return withFile(parsed.file, (file) => quantizeAll(file, parsed, terminal))
}

/** What --method adds to the metadata of OUT. */
function methodMetadata({ method, options, seed, activations, calibration }: MethodFacts): Record<string, string> {
  const values = Object.entries(options).map(([key, value]) => `${key}=${value}`)
  const tensor = activations.kind === 'captured' ? activations.tensor : activations.description
  return {
    method,
    ...(values.length > 0 ? { method_options: values.join(' ') } : {}),
    calibration: `${tensor}, ${calibration.tokens} rows`,
    seed: String(seed),
  }
}

/** What --method adds to the report: how, on which rows, and the error of the output on them. */
function methodLines({ method, calibration, lowRank }: MethodFacts): string {
  const { tokens, outputRelativeError, outputSqnrDb } = calibration
  const branch = lowRank.map(({ name, shape }) => `${name} [${shape.join(', ')}]\n`).join('')
  const error = `${decimals(outputRelativeError, 5)} (${decimals(outputSqnrDb, 2)} dB)`
  return `${branch}${method}: relative error of the output on ${tokens} calibration rows ${error}\n`
}

/** Metadata of a safetensors file: text, keys in its usual form. */
function metadataOf(facts: ReturnType<typeof describeQuantizer>): Record<string, string> {
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const text = (value: unknown) => (value === null ? 'off' : String(value))
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [snake(key), text(value)]))
}

export const command: Command = {
  help: quantizeHelp,
  async run(args, terminal) {
    const parsed = parseQuantize(args)
    const facts = describeQuantizer(parsed.choice, parsed.quantizer)
    const { outputs, report, facts: method } = await quantizeAsAsked(parsed, terminal)
    const metadata = { ...metadataOf(facts), ...(method ? methodMetadata(method) : {}) }
    await writeWhole(parsed.output, writeSafetensors(outputs, metadata))
    if (parsed.json !== null) {
      const document = { schema: 'mxscope.quantize/1', file: parsed.file, ...facts, ...method, tensors: report }
      await writeJson(parsed.json, document, terminal)
    }
    if (parsed.json === '-') return EXIT.done
    const lines = report.map(({ name, shape, sqnrDb, clippedPercent, flushedPercent }) => {
      return [
        name,
        `[${shape.join(', ')}]`,
        decimals(sqnrDb, 2),
        decimals(clippedPercent, 3),
        decimals(flushedPercent, 3),
      ]
    })
    terminal.out(`${quantizerText(parsed.choice, parsed.quantizer)}\n\n`)
    terminal.out(alignTable([['name', 'shape', 'SQNR dB', 'clipped %', 'zeroed %'], ...lines], [2, 3, 4]))
    if (method) terminal.out(`\n${methodLines(method)}`)
    return EXIT.done
  },
}
