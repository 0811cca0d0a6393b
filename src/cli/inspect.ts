import { type TensorStatistics, tensorStatistics } from '../experiment/tensor-statistics'
import type { Gpu } from '../gpu/device'
import { decodable } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { type Command, EXIT, parse, type Terminal, UsageError } from './command'
import { exportText } from './export-text'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, PLACES_HELP, withFile } from './open-file'
import { placesIn } from './open-place'
import { ABSENT, alignTable, writeJson } from './output'

const help = `Usage: mxscope inspect FILE... [--stats] [--json OUT]

${PLACES_HELP}
Lists the tensors of safetensors and NumPy files: name, dtype, shape, bytes. Reads the headers only. Codes and scales
of packed checkpoints (MXFP4, MXFP8, NVFP4, FP8, INT4 and their like) are listed as the tensor they stand for. Of files
MXScope wrote, how each weight was quantized. Files of a folder that are no shards of one model are listed one by one.

  --stats      also, of the finite elements as f32, minimum, maximum, mean, standard deviation, kurtosis (3 for a
               Gaussian), the largest channel of the last axis, and the number of non-finite elements; reads every tensor
               and needs a GPU
  --json OUT   write the list as JSON; - is standard output
`

/** Statistics as JSON has them. */
interface ListedStatistics
  extends Pick<TensorStatistics, 'minimum' | 'maximum' | 'mean' | 'standardDeviation' | 'kurtosis'> {
  /** The channel of the last axis with the largest |x|; null where the tensor is empty. */
  readonly largestChannel: { readonly index: number; readonly magnitude: number } | null
  readonly nonFiniteCount: number
}

/** A line of the list; `stats` is absent unless asked for, null for complex tensors. */
interface ListedTensor extends Omit<TensorView, 'storage' | 'shard'> {
  /** The file of a checkpoint it is in; `byteOffset` counts from its start. */
  readonly shard?: string
  /** How a packed tensor is stored, and from which tensors of the file. */
  readonly packed?: { readonly layout: string; readonly note: string; readonly parts: readonly string[] }
  readonly stats?: ListedStatistics | null
}

function packedFacts({ storage }: TensorView): Pick<ListedTensor, 'packed'> {
  if (storage?.kind !== 'packed') return {}
  const { layout, note, parts } = storage
  return { packed: { layout, note, parts: parts.map(({ tensor }) => tensor.name) } }
}

async function statisticsOf(gpu: Gpu, { source }: OpenFile, tensor: TensorView): Promise<ListedStatistics> {
  const { signal } = new AbortController()
  const found = await tensorStatistics({ source, tensor }, { gpu, signal })
  const { minimum, maximum, mean, standardDeviation, kurtosis, channelMax, nonFinite } = found
  const index = channelMax.reduce((best, value, channel) => (value > channelMax[best] ? channel : best), 0)
  return {
    ...{ minimum, maximum, mean, standardDeviation, kurtosis },
    largestChannel: channelMax.length > 0 ? { index, magnitude: channelMax[index] } : null,
    nonFiniteCount: nonFinite.nan + nonFinite.positiveInfinity + nonFinite.negativeInfinity,
  }
}

/** `gpu`: null lists without statistics. */
async function listTensors(file: OpenFile, gpu: Gpu | null): Promise<ListedTensor[]> {
  const tensors: ListedTensor[] = []
  for (const tensor of file.tensors) {
    const { name, dtype, shape, byteLength, shard } = tensor
    const place = {
      byteOffset: tensor.byteOffset - (shard?.start ?? 0),
      byteLength,
      ...(shard && { shard: shard.name }),
    }
    const base = { name, dtype, shape, ...place, ...packedFacts(tensor) }
    if (!gpu) tensors.push(base)
    else tensors.push({ ...base, stats: decodable(tensor) ? await statisticsOf(gpu, file, tensor) : null })
  }
  return tensors
}

const STATISTICS_HEADING = ['minimum', 'maximum', 'mean', 'std', 'kurtosis', 'largest channel', 'non-finite']

function statsColumns(stats: ListedStatistics | null): readonly string[] {
  if (!stats) return STATISTICS_HEADING.map(() => ABSENT)
  const { minimum, maximum, mean, standardDeviation, kurtosis, largestChannel, nonFiniteCount } = stats
  const text = (value: number | null) =>
    value === null ? ABSENT : Number.isInteger(value) ? String(value) : value.toPrecision(6)
  return [
    ...[minimum, maximum, mean, standardDeviation, kurtosis].map(text),
    largestChannel ? `${largestChannel.index}: ${text(largestChannel.magnitude)}` : ABSENT,
    text(nonFiniteCount),
  ]
}

function printTable(tensors: readonly ListedTensor[], terminal: Terminal): void {
  const withStats = tensors.some((tensor) => tensor.stats !== undefined)
  const heading = ['name', 'dtype', 'shape', 'bytes', ...(withStats ? STATISTICS_HEADING : [])]
  const rows = tensors.map((tensor) => [
    tensor.name,
    tensor.dtype,
    `[${tensor.shape.join(', ')}]`,
    String(tensor.byteLength),
    ...(tensor.stats === undefined ? [] : statsColumns(tensor.stats)),
  ])
  terminal.out(alignTable([heading, ...rows], [3, 4, 5, 6, 7, 8, 9, 10]))
}

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values, positionals } = parse({
      args: [...args],
      allowPositionals: true,
      options: { stats: { type: 'boolean', default: false }, json: { type: 'string' } },
    })
    if (positionals.length === 0) throw new UsageError('expected at least one FILE')
    const gpu = values.stats ? await openNodeGpu() : null
    const files = []
    const places = (await Promise.all(positionals.map(placesIn))).flat()
    for (const place of places) {
      const listed = await withFile(place, async (file) => ({
        file: typeof place === 'string' ? place : place.join(' '),
        byteLength: file.source.byteLength,
        metadata: file.metadata,
        tensors: await listTensors(file, gpu),
        refusals: file.refusals.map(({ name, error }) => ({ name, code: error.code, message: error.message })),
        ...(file.shards && { shards: file.shards }),
      }))
      files.push(listed)
    }
    if (values.json !== undefined) await writeJson(values.json, { schema: 'mxscope.inspect/1', files }, terminal)
    if (values.json === '-') return EXIT.done
    for (const { file, byteLength, metadata, tensors, refusals, shards } of files) {
      terminal.out(`${file}  ${byteLength} bytes, ${tensors.length} tensors\n`)
      if (tensors.length > 0) printTable(tensors, terminal)
      for (const { name, packed } of tensors) {
        if (packed) terminal.out(`${name}: ${packed.layout}${packed.note && `; ${packed.note}`}\n`)
      }
      for (const line of exportText(metadata)) terminal.out(`${line}\n`)
      for (const { code, message } of [...refusals, ...(shards?.notes ?? [])]) terminal.note(`${code}: ${message}`)
    }
    return EXIT.done
  },
}
