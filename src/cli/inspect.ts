import { decodable } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { type Command, EXIT, parse, type Terminal, UsageError } from './command'
import { type OpenFile, withFile } from './open-file'
import { ABSENT, alignTable, writeJson } from './output'
import { type TensorStats, tensorStats } from './tensor-stats'

const help = `Usage: mxscope inspect FILE... [--stats] [--json OUT]

Lists the tensors of safetensors files: name, dtype, shape, bytes. Reads the headers only.

  --stats      also minimum, maximum, kurtosis (finite elements; 3 for a Gaussian) and the number of non-finite
               elements; reads every floating-point tensor
  --json OUT   write the list as JSON; - is standard output
`

/** A line of the list; `stats` is absent unless asked for, null for tensors that hold no real numbers. */
interface ListedTensor extends TensorView {
  readonly stats?: TensorStats | null
}

async function listTensors(file: OpenFile, options: { stats: boolean }): Promise<ListedTensor[]> {
  const tensors: ListedTensor[] = []
  for (const tensor of file.tensors) {
    const { name, dtype, shape, byteOffset, byteLength } = tensor
    const base = { name, dtype, shape, byteOffset, byteLength }
    if (!options.stats) tensors.push(base)
    else tensors.push({ ...base, stats: decodable(tensor) ? await tensorStats(file.source, tensor) : null })
  }
  return tensors
}

const statsColumns = (stats: TensorStats | null): string[] =>
  stats
    ? [stats.minimum, stats.maximum, stats.kurtosis, stats.nonFiniteCount].map((value) =>
        value === null ? ABSENT : Number.isInteger(value) ? String(value) : value.toPrecision(6),
      )
    : [ABSENT, ABSENT, ABSENT, ABSENT]

function printTable(tensors: readonly ListedTensor[], terminal: Terminal): void {
  const withStats = tensors.some((tensor) => tensor.stats !== undefined)
  const heading = [
    'name',
    'dtype',
    'shape',
    'bytes',
    ...(withStats ? ['minimum', 'maximum', 'kurtosis', 'non-finite'] : []),
  ]
  const rows = tensors.map((tensor) => [
    tensor.name,
    tensor.dtype,
    `[${tensor.shape.join(', ')}]`,
    String(tensor.byteLength),
    ...(tensor.stats === undefined ? [] : statsColumns(tensor.stats)),
  ])
  terminal.out(alignTable([heading, ...rows], [3, 4, 5, 6, 7]))
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
    const files = []
    for (const path of positionals) {
      const listed = await withFile(path, async (file) => ({
        file: path,
        byteLength: file.source.byteLength,
        metadata: file.metadata,
        tensors: await listTensors(file, { stats: values.stats }),
      }))
      files.push(listed)
    }
    if (values.json !== undefined) await writeJson(values.json, { schema: 'mxscope.inspect/1', files }, terminal)
    if (values.json === '-') return EXIT.done
    for (const { file, byteLength, tensors } of files) {
      terminal.out(`${file}  ${byteLength} bytes, ${tensors.length} tensors\n`)
      if (tensors.length > 0) printTable(tensors, terminal)
    }
    return EXIT.done
  },
}
