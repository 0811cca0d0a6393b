import { InputError } from '../core/errors'
import { uploadRows } from '../experiment/load-tensor'
import { operandErrors } from '../experiment/metrics'
import { type Quantizer, ROUNDINGS, SCALE_RULES } from '../formats/number-format'
import { makeQuantizer } from '../formats/quantizer'
import { formatById } from '../formats/registry'
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
import { writeSafetensors } from '../io/write-safetensors'
import {
  asUsage,
  type Command,
  EXIT,
  oneOf,
  parse,
  preScaleOf,
  type Terminal,
  UsageError,
  wholeNumber,
} from './command'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, tensorByName, withFile } from './open-file'
import { alignTable, writeJson, writeWhole } from './output'

const LAYOUTS = ['fake'] as const

const help = `Usage: mxscope quantize FILE --format ID [options] -o OUT

Quantizes tensors along their last axis and writes what a decoder would read back, as F32 under the same names and in
the same shapes.

  --format ID            a number format (mxscope formats lists them)
  --tensor NAME          only this tensor; may be repeated (default: every floating-point tensor with an axis)
  --scale-rule RULE      ${SCALE_RULES.join(' | ')} (default floor)
  --rounding MODE        ${ROUNDINGS.join(' | ')} (default half-even)
  --pre-scale 0.75|off   pre-scale of 4-bit elements (default off)
  --block N              elements per scale; only 32 for now
  --layout fake          the layout of OUT (default fake, the only one for now)
  -o, --output OUT       the safetensors file to write
  --json OUT             write what rounding did to each tensor as JSON; - is standard output
`

interface QuantizeArguments {
  readonly file: string
  readonly names: readonly string[]
  readonly quantizer: Quantizer
  readonly output: string
  readonly json: string | null
}

const OPTIONS = {
  format: { type: 'string' },
  tensor: { type: 'string', multiple: true },
  'scale-rule': { type: 'string' },
  rounding: { type: 'string' },
  'pre-scale': { type: 'string' },
  block: { type: 'string' },
  layout: { type: 'string' },
  output: { type: 'string', short: 'o' },
  json: { type: 'string' },
} as const

function parseQuantize(args: readonly string[]): QuantizeArguments {
  const { values, positionals } = parse({ args: [...args], allowPositionals: true, options: OPTIONS })
  if (positionals.length !== 1) throw new UsageError(`expected one FILE, found ${positionals.length}`)
  const { format: formatId, output } = values
  if (formatId === undefined) throw new UsageError('expected --format ID')
  if (output === undefined) throw new UsageError('expected -o OUT')
  const format = asUsage(() => formatById(formatId))
  const { blockSize } = format
  oneOf('layout', values.layout, { choices: LAYOUTS, fallback: 'fake' })
  wholeNumber('block', values.block, { min: blockSize, max: blockSize, fallback: blockSize })
  const preScale = preScaleOf(values['pre-scale'], null)
  if (preScale !== null && format.element.bits !== 4) {
    throw new UsageError(`--pre-scale: only for 4-bit elements; ${formatId} has ${format.element.bits}`)
  }
  const quantizer = makeQuantizer(format, {
    scaleRule: oneOf('scale-rule', values['scale-rule'], { choices: SCALE_RULES, fallback: 'floor' }),
    rounding: oneOf('rounding', values.rounding, { choices: ROUNDINGS, fallback: 'half-even' }),
    preScale,
  })
  return { file: positionals[0], names: values.tensor ?? [], quantizer, output, json: values.json ?? null }
}

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
    const errors = operandErrors(await readOperandErrors(gpu, sums))
    const warning = describeNonFinite(tensor, nonFinite)
    return { values: (await readMatrix(gpu, rounded)).data, errors, nonFinite, warning }
  } finally {
    arena.release()
  }
}

async function quantizeAll(file: OpenFile, parsed: QuantizeArguments, terminal: Terminal) {
  const tensors = chooseTensors(file, parsed.names)
  const gpu = await openNodeGpu()
  const outputs = []
  const report = []
  for (const [index, tensor] of tensors.entries()) {
    terminal.note(`${tensor.name} (${index + 1} of ${tensors.length}) …`)
    const { name, shape } = tensor
    const { values, errors, nonFinite, warning } = await withErrorScopes(gpu, new AbortController().signal, () =>
      quantizeTensor(gpu, file, tensor, parsed.quantizer),
    )
    if (warning) terminal.note(`warning: ${warning}`)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    outputs.push({ name, dtype: 'F32' as const, shape, bytes })
    const { nan, positiveInfinity, negativeInfinity } = nonFinite
    report.push({ name, shape, ...errors, nonFiniteCount: nan + positiveInfinity + negativeInfinity })
  }
  return { outputs, report }
}

export const command: Command = {
  help,
  async run(args, terminal) {
    const parsed = parseQuantize(args)
    const { format, ...choices } = parsed.quantizer
    const { outputs, report } = await withFile(parsed.file, (file) => quantizeAll(file, parsed, terminal))
    const metadata: Record<string, string> = {
      format: format.id,
      scale_rule: choices.scaleRule,
      rounding: choices.rounding,
      pre_scale: choices.preScale === null ? 'off' : String(choices.preScale),
    }
    await writeWhole(parsed.output, writeSafetensors(outputs, metadata))
    if (parsed.json !== null) {
      const document = {
        schema: 'mxscope.quantize/1',
        file: parsed.file,
        format: format.id,
        ...choices,
        tensors: report,
      }
      await writeJson(parsed.json, document, terminal)
    }
    if (parsed.json === '-') return EXIT.done
    const percent = (value: number) => value.toFixed(3)
    const lines = report.map(({ name, shape, sqnrDb, clippedPercent, flushedPercent }) => {
      return [name, `[${shape.join(', ')}]`, sqnrDb.toFixed(2), percent(clippedPercent), percent(flushedPercent)]
    })
    terminal.out(alignTable([['name', 'shape', 'SQNR dB', 'clipped %', 'flushed %'], ...lines], [2, 3, 4]))
    return EXIT.done
  },
}
